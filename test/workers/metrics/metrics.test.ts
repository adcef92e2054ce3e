import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAX_LOOPS, METRIC_NAMES, METRICS, NO_LOOP, OTHER_LOOPS } from '../../../domain/metrics.js';
import { roleEnvironment } from '../../../infra/workerEnvironment.js';
import { ROOT } from '../../support/binaries.js';
import { freePorts } from './freePorts.js';

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** Samples of Prometheus's text format. */
function samplesOf(page: string): Sample[] {
  return page.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined) return [];
    const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', text = '']) => [label, text]);
    return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }];
  });
}

const exporter = (address: string): ChildProcess =>
  spawn(process.execPath, [join(ROOT, 'dist', 'test', 'workers', 'metrics', 'exporterMain.js'), address, tmpdir()], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });

describe('the metrics of a worker', function () {
  this.timeout(60_000);
  let child: ChildProcess;
  let page: string;
  let samples: Sample[];
  const found = (name: string, labels: Record<string, string> = {}): Sample[] =>
    samples.filter(
      (one) => one.name === name && Object.entries(labels).every(([label, text]) => one.labels[label] === text),
    );
  const only = (name: string, labels: Record<string, string>): number => {
    const [one = assert.fail(`no ${name}`), ...others] = found(name, labels);
    assert.equal(others.length, 0, `${name} has several`);
    return one.value;
  };

  before(async () => {
    const address = `127.0.0.1:${await freePorts(1)}`;
    child = exporter(address);
    const said = await Promise.race([once(child.stdout ?? assert.fail(), 'data'), once(child, 'exit')]);
    assert.match(String(said[0]), /measured/);
    page = await (await fetch(`http://${address}/metrics`)).text();
    samples = samplesOf(page);
  });
  after(async () => {
    child.stdin?.end();
    await once(child, 'exit');
  });

  it('are all that are declared, with their kind and exactly their labels', () => {
    const missing = METRIC_NAMES.filter((name) => {
      const { kind, labels } = METRICS[name];
      const series = found(kind === 'histogram' ? `${name}_count` : name);
      for (const one of series) assert.deepEqual(Object.keys(one.labels).sort(), [...labels].sort(), name);
      return series.length === 0 || !page.includes(`# TYPE ${name} ${kind}`);
    });
    assert.deepEqual(missing, []);
  });

  it('say what the activities did', () => {
    const scan = { loop: 'cars', step: 'scan', role: 'scan' };
    assert.equal(only('partloop_items_done_total', { ...scan, unit: 'images' }), 24);
    assert.equal(only('partloop_images_per_second_count', { ...scan, phase: 'judging' }), 1);
    assert.equal(only('partloop_findings', { loop: 'cars' }), 12);
    assert.equal(only('partloop_images_set_aside', { loop: 'cars' }), 5);
    assert.equal(only('partloop_miou', { loop: 'cars' }), 0.61);
    assert.equal(only('partloop_benchmark_miou', { loop: 'cars' }), 0.58);
    assert.equal(only('partloop_approval_pending', { loop: 'cars' }), 1);
    const train = { loop: 'cars', step: 'train', role: 'train' };
    assert.equal(only('partloop_train_images_per_second', train), 42.5);
    assert.equal(only('partloop_checkpoint_timestamp_seconds', train), 1_000_000);
    assert.equal(only('partloop_failures_total', { ...train, code: 'disk-full' }), 1);
    assert.equal(only('partloop_activity_seconds_count', { ...train, outcome: 'done' }), 1);
    assert.equal(only('partloop_activity_seconds_count', { ...train, outcome: 'failed' }), 1);
    assert.ok(only('partloop_queue_wait_seconds_sum', train) >= 4, 'two tries that waited for two seconds each');
    assert.equal(only('partloop_iterations_total', { loop: 'cars', status: 'finished' }), 1);
    assert.equal(only('partloop_iterations_total', { loop: 'cars', status: 'failed' }), 0);
    assert.equal(only('partloop_step_seconds', { loop: 'cars', step: 'scan' }), 1);
    assert.ok(only('partloop_disk_free_bytes', { role: 'light' }) > 0);
    assert.equal(only('partloop_activities_running', { loop: 'cars', step: 'evaluate' }), 1);
    assert.equal(only('partloop_activities_running', { loop: 'cars', step: 'scan' }), 0);
    assert.equal(only('partloop_activity_seconds_count', { loop: NO_LOOP, step: 'scan' }), 1);
  });

  it('have few labels whatever loops are called, and none that names an image or a run', () => {
    const loops = new Set(found('partloop_activity_seconds_count', { role: 'light' }).map(({ labels }) => labels.loop));
    assert.equal(loops.size, MAX_LOOPS + 1);
    assert.ok(loops.has(OTHER_LOOPS));
    const texts = samples.flatMap(({ labels: { le: _, ...labels } }) => Object.values(labels));
    assert.doesNotMatch([...new Set(texts)].join(' '), /[0-9a-f]{12}|run-1|0001|night/);
  });

  it('are refused with a sentence where the port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : assert.fail();
    const second = exporter(`127.0.0.1:${port}`);
    let said = '';
    second.stderr?.on('data', (text: Buffer) => {
      said += String(text);
    });
    const [code] = await once(second, 'close');
    taken.close();
    assert.equal(code, 7);
    assert.match(said, /setup-incomplete: metrics cannot be offered at 127\.0\.0\.1/);
  });

  it('of three workers on one machine are at three ports', () => {
    const environment = { PARTLOOP_METRICS_ADDRESS: '127.0.0.1:9464' };
    assert.deepEqual(
      (['light', 'scan', 'train'] as const).map((role) => roleEnvironment(environment, role).PARTLOOP_METRICS_ADDRESS),
      ['127.0.0.1:9464', '127.0.0.1:9465', '127.0.0.1:9466'],
    );
    assert.deepEqual(roleEnvironment({}, 'scan'), {});
  });

  it('are in the table of docs/monitoring.md, in order and in the same words', () => {
    const docs = readFileSync(join(ROOT, 'docs', 'monitoring.md'), 'utf8');
    const rows = docs.split('\n').filter((line) => line.startsWith('| `partloop_'));
    assert.deepEqual(
      rows,
      METRIC_NAMES.map((name) => {
        const { kind, labels, help } = METRICS[name];
        return `| \`${name}\` | ${kind} | ${labels.join(', ')} | ${help} |`;
      }),
    );
  });
});
