import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { msToNumber } from '@temporalio/common/lib/time.js';
import { parse } from 'yaml';
import { z } from 'zod';
import { SEARCH_ATTRIBUTES } from '../../domain/searchAttributes.js';
import { readVariables } from '../../domain/settings/variables.js';
import { ROLE_NAMES, ROLES } from '../../workers/roles.js';
import { registrationCommands } from '../../workers/searchAttributes.js';
import { ROOT } from '../support/binaries.js';

const read = (name: string) => readFileSync(join(ROOT, 'infra', 'compose', name), 'utf8');
const text = read('compose.yaml');
const service = z.looseObject({
  image: z.string(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  ports: z.array(z.string()).optional(),
  volumes: z.array(z.string()).optional(),
  depends_on: z.record(z.string(), z.looseObject({})).optional(),
  stop_grace_period: z.string().optional(),
});
const { services, volumes } = z
  .object({ services: z.record(z.string(), service), volumes: z.record(z.string(), z.null()) })
  .parse(parse(text, { merge: true }));
/** As Temporal's command line calls the types. */
const LABELS: Readonly<Record<string, string>> = { KEYWORD: 'Keyword', INT: 'Int', DOUBLE: 'Double' };
const all = Object.entries(services);

describe('the composition for one machine', () => {
  for (const role of ROLE_NAMES)
    it(`runs a ${role} worker without rights, which gets longer to end than it ever takes`, () => {
      const worker = services[role];
      assert.deepEqual(worker?.command, ['--role', role]);
      assert.ok(msToNumber(worker.stop_grace_period ?? '') > msToNumber(ROLES[role].forceTime));
      assert.equal(worker.read_only, true);
      assert.deepEqual(worker.cap_drop, ['ALL']);
      const { PARTLOOP_STORE, TEMPORAL_ADDRESS, AWS_ENDPOINT_URL_S3 } = readVariables(worker.environment ?? {});
      assert.equal(PARTLOOP_STORE, 's3://partloop/store');
      assert.ok(services.s3?.command?.includes('-bucket=partloop'));
      assert.equal(TEMPORAL_ADDRESS, 'temporal:7233');
      assert.equal(AWS_ENDPOINT_URL_S3, 'http://s3:8333');
    });

  it('registers the search attributes without which workers refuse the namespace', () => {
    const attributes = Object.values(SEARCH_ATTRIBUTES).map(({ name, type }) => ({
      name,
      label: LABELS[type],
      indexed: 0,
    }));
    const wanted = registrationCommands(
      attributes.map(({ name, label = '', indexed }) => ({ name, label, indexed })),
      'temporal:7233',
      'default',
    ).map((command) => command.replace(/^.*(--name \S+ --type \S+)$/, '$1'));
    const said = (services.namespace?.command ?? []).join(' ').replaceAll('=', ' ');
    assert.equal(said, wanted.join(' '));
  });

  it('takes every password from the environment, and names each in the example', () => {
    const asked = [...new Set([...text.matchAll(/\$\{(\w+)/g)].map(([, name]) => name))].sort();
    const named = [...read('.env.example').matchAll(/^(\w+)=$/gm)].map(([, name]) => name);
    assert.deepEqual(asked, named.sort());
    assert.doesNotMatch(text, /\$\{\w+(?!\w|:\?\})/);
    const secrets = all.flatMap(([, { environment = {} }]) =>
      Object.entries(environment).filter(([name]) => /PASSWORD|PWD|SECRET|ACCESS_KEY/.test(name)),
    );
    assert.ok(secrets.length >= 8);
    for (const [name, value] of secrets) assert.match(value, /^\$\{\w+:\?\}$/, name);
  });

  it('opens ports to this machine alone', () => {
    const ports = all.flatMap(([, { ports: own = [] }]) => own);
    assert.ok(ports.length >= 3);
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/);
  });

  it('names a version of each foreign image, and what it refers to', () => {
    for (const [name, { image, depends_on = {}, volumes: own = [] }] of all) {
      if (!image.startsWith('partloop-')) assert.match(image, /:\d[\w.-]*$/, name);
      for (const other of Object.keys(depends_on)) assert.ok(services[other], `${name} waits for ${other}`);
      for (const volume of own) assert.ok((volume.split(':')[0] ?? '') in volumes, `${name} has ${volume}`);
    }
    assert.match(services.postgres?.image ?? '', /^postgres:(1[6-9]|[2-9]\d)/);
  });
});
