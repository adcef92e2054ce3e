import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { msToNumber } from '@temporalio/common/lib/time.js';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { SCAN_QUEUE } from '../../domain/base/queues.js';
import { readVariables, VARIABLE_NAMES } from '../../domain/settings/variables.js';
import { ROLE_NAMES, ROLES, type Role } from '../../workers/roles.js';
import { ROOT } from '../support/binaries.js';

const K8S = join(ROOT, 'infra', 'k8s');
const BASE = join(K8S, 'base');

const probe = z.object({ httpGet: z.object({ path: z.string(), port: z.string() }), timeoutSeconds: z.number() });
const container = z.looseObject({
  name: z.literal('worker'),
  image: z.string(),
  args: z.array(z.string()),
  env: z.array(z.object({ name: z.string(), value: z.string() })),
  envFrom: z.array(z.record(z.string(), z.looseObject({ name: z.string(), optional: z.boolean().optional() }))),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })),
  livenessProbe: probe,
  readinessProbe: probe,
  resources: z.object({ limits: z.object({ memory: z.string() }), requests: z.looseObject({ memory: z.string() }) }),
  securityContext: z.looseObject({}),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })),
});
const deployment = z.object({
  spec: z.looseObject({
    template: z.object({
      spec: z.looseObject({
        terminationGracePeriodSeconds: z.number(),
        automountServiceAccountToken: z.literal(false),
        serviceAccountName: z.literal('partloop'),
        securityContext: z.looseObject({ runAsNonRoot: z.literal(true), runAsUser: z.number().min(1) }),
        containers: z.tuple([container]),
        volumes: z.array(z.looseObject({ name: z.string(), emptyDir: z.looseObject({}).optional() })),
      }),
    }),
  }),
});
const config = z.object({ data: z.record(z.string(), z.string()) });
const scaled = z.object({
  spec: z.looseObject({
    scaleTargetRef: z.object({ name: z.string(), envSourceContainerName: z.string() }),
    cooldownPeriod: z.number(),
    triggers: z.tuple([z.object({ type: z.literal('temporal'), metadata: z.record(z.string(), z.string()) })]),
  }),
});
const kinds = z.array(z.looseObject({ kind: z.string(), metadata: z.looseObject({ name: z.string() }).optional() }));

const documents = (...path: string[]): unknown[] =>
  parseAllDocuments(readFileSync(join(...path), 'utf8')).map((document) => {
    assert.deepEqual(document.errors, []);
    return document.toJS();
  });
const only = (file: string): unknown => {
  const [first, ...others] = documents(BASE, file);
  assert.equal(others.length, 0);
  return first;
};
const podOf = (role: Role) => deployment.parse(only(`${role}.yaml`)).spec.template.spec;
const { data } = config.parse(only('config.yaml'));

describe('the manifests for Kubernetes', () => {
  for (const role of ROLE_NAMES)
    describe(`of the role ${role}`, () => {
      const pod = podOf(role);
      const [worker] = pod.containers;

      it('run that role, and give it longer to end than it ever takes', () => {
        assert.deepEqual(worker.args, ['--role', role]);
        assert.ok(pod.terminationGracePeriodSeconds * 1_000 > msToNumber(ROLES[role].forceTime));
      });

      it('ask it where it answers', () => {
        assert.equal(worker.livenessProbe.httpGet.path, '/live');
        assert.equal(worker.readinessProbe.httpGet.path, '/ready');
        const port = worker.ports.find(({ name }) => name === worker.livenessProbe.httpGet.port)?.containerPort;
        const { PARTLOOP_HEALTH_PORT, PARTLOOP_HEALTH_HOST } = readVariables(data);
        assert.equal(port, PARTLOOP_HEALTH_PORT);
        assert.equal(PARTLOOP_HEALTH_HOST, '0.0.0.0');
      });

      it('give it no right and no place to write but its own folders', () => {
        assert.deepEqual(worker.securityContext, {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        const writable = worker.volumeMounts
          .filter(({ readOnly }) => readOnly !== true)
          .map(({ mountPath }) => mountPath);
        assert.ok(writable.every((path) => ['/var/lib/partloop', '/tmp', '/dev/shm'].includes(path)));
        for (const { emptyDir } of pod.volumes) assert.ok(emptyDir === undefined || 'sizeLimit' in emptyDir);
      });

      it('take secrets by reference, and set nothing that no program reads', () => {
        assert.deepEqual(
          worker.envFrom.map((source) => Object.keys(source)[0]),
          ['configMapRef', 'secretRef'],
        );
        for (const { name } of worker.env) assert.ok([...VARIABLE_NAMES, 'HOME'].includes(name), name);
      });
    });

  it('configure workers by variables that they read, with values that they take', () => {
    for (const name of Object.keys(data)) assert.ok([...VARIABLE_NAMES, 'TEMPORAL_NAMESPACE'].includes(name), name);
    const address = readVariables({ ...data, PARTLOOP_STORE: 's3://bucket/prefix' });
    assert.equal(address.TEMPORAL_ADDRESS, data.TEMPORAL_ADDRESS);
  });

  it('scale scan workers by the queue that they poll', () => {
    const { spec } = scaled.parse(only('scaling.yaml'));
    assert.deepEqual(spec.scaleTargetRef, { name: 'partloop-scan', envSourceContainerName: 'worker' });
    const { metadata } = spec.triggers[0];
    assert.equal(metadata.taskQueue, SCAN_QUEUE);
    assert.equal(metadata.queueTypes, 'activity');
    assert.equal(metadata.namespace, data.TEMPORAL_NAMESPACE);
    assert.ok(metadata.endpointFromEnv !== undefined && metadata.endpointFromEnv in data);
    assert.ok(Number(metadata.targetQueueSize) >= ROLES.scan.maxActivities);
  });

  it('keep room for the cache of a training', () => {
    const { volumes, containers } = podOf('train');
    const gigabytes = Number(containers[0].env.find(({ name }) => name === 'PARTLOOP_CACHE_GB')?.value);
    const room = /^(\d+)Gi$/.exec(String(volumes.find(({ name }) => name === 'home')?.emptyDir?.sizeLimit))?.[1];
    assert.ok(gigabytes > 0 && Number(room) >= 1.25 * gigabytes);
  });

  it('let workers call DNS, HTTPS and Temporal, and nobody call them', () => {
    const port = z.object({ port: z.number(), protocol: z.string() });
    const policy = z.object({
      spec: z.looseObject({ ingress: z.tuple([]), egress: z.array(z.object({ ports: z.array(port) })) }),
    });
    const open = policy.parse(only('network.yaml')).spec.egress.flatMap(({ ports }) => ports.map((one) => one.port));
    const temporal = Number(data.TEMPORAL_ADDRESS?.split(':')[1]);
    assert.deepEqual([...new Set(open)].sort(), [443, 53, temporal].sort());
  });

  it('name every file, and hold no secret', () => {
    const { resources } = z.looseObject({ resources: z.array(z.string()) }).parse(only('kustomization.yaml'));
    const files = readdirSync(BASE).filter((file) => file !== 'kustomization.yaml');
    assert.deepEqual([...resources].sort(), files.sort());
    const all = kinds.parse(resources.flatMap((file) => documents(BASE, file)));
    assert.ok(all.length >= 10);
    assert.deepEqual(
      all.filter(({ kind }) => kind === 'Secret'),
      [],
    );
    const budgets = all.filter(({ kind }) => kind === 'PodDisruptionBudget').map(({ metadata }) => metadata?.name);
    assert.deepEqual(
      budgets,
      ROLE_NAMES.map((role) => `partloop-${role}`),
    );
  });

  describe('as kustomize renders them', () => {
    before(function () {
      if (spawnSync('kustomize', ['version']).status === 0) return;
      console.log('      kustomize is not on this machine');
      this.skip();
    });
    const rendered = (overlay: string): unknown[] =>
      parseAllDocuments(execFileSync('kustomize', ['build', join(K8S, 'overlays', overlay)], { encoding: 'utf8' })).map(
        (document) => document.toJS(),
      );
    const trainOf = (overlay: string): string =>
      JSON.stringify(
        kinds
          .parse(rendered(overlay))
          .find(({ kind, metadata }) => kind === 'Deployment' && metadata?.name === 'partloop-train'),
      );

    it('ask for a GPU with the overlay gpu', () => {
      const train = trainOf('gpu');
      for (const part of [
        '"nvidia.com/gpu":1',
        '"nvidia.com/gpu.present":"true"',
        'PARTLOOP_REQUIRE_GPU',
        'tolerations',
      ])
        assert.ok(train.includes(part), part);
      assert.match(train, /REGISTRY\/partloop-trainer:VERSION"/);
    });

    it('ask for none with the overlay cpu', () => {
      const train = trainOf('cpu');
      assert.doesNotMatch(train, /nvidia|GPU/);
      assert.match(train, /REGISTRY\/partloop-trainer:VERSION-cpu"/);
    });
  });
});
