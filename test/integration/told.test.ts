import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import { readState } from '../../infra/stack/state.js';
import { traceIdOf } from '../../steps/trace.js';
import { storeOfHome } from '../chaos/home.js';
import { partloop, partloopJson } from '../support/cli.js';
import { carStack } from '../support/servers/carStack.js';
import { Receiver, SECRET } from '../telemetry/notify/receiver.js';
import { Collector } from '../telemetry/traces/collector.js';
import { freePorts } from '../workers/metrics/freePorts.js';

const LOOP_MS = 6 * 60_000;
const LOOP = [
  'loop',
  'start',
  'told',
  '--pool',
  'told',
  '--chunk-size',
  '12',
  '--sample-share',
  '0.5',
  '--image-size',
  '64',
];
const TRAINING = ['--train-iterations', '6', '--batch-size', '4', '--seed', '1', '--set', 'evaluationSize=64'];
const HIDDEN = 'a-path-that-nobody-may-see';

/** A history as text, with what its payloads say. */
function written(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.values(value).map(written).join('\n');
}

describe('an iteration on the local stack that is watched', function () {
  this.timeout(LOOP_MS);
  let receiver: Receiver;
  let collector: Collector;
  let port: number;
  let home: string;
  let remove = async (): Promise<void> => undefined;
  const environment = { ...process.env };

  before(async () => {
    [receiver, collector, port] = await Promise.all([Receiver.start(), Collector.start(), freePorts(3)]);
    Object.assign(process.env, {
      PARTLOOP_NOTIFY_URL: `${receiver.url}/${HIDDEN}`,
      PARTLOOP_NOTIFY_SECRET: SECRET,
      PARTLOOP_METRICS_ADDRESS: `127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    });
    ({ home, remove } = await carStack('told', { seed: 5, counts: { train: 24, val: 4, test: 8, interior: 2 } }));
    await partloopJson(home, [...LOOP, ...TRAINING, '--iterations', '1', '--wait']);
  });
  after(async () => {
    await remove();
    process.env = environment;
    await Promise.all([receiver.stop(), collector.stop()]);
  });

  it('sends signed messages of its decision and its end, each once', () => {
    const bodies = receiver.bodies;
    assert.deepEqual(
      bodies.map(({ type, data }) => [type, data.loop, data.iteration]),
      [
        ['decision.made', 'told', 1],
        ['iteration.finished', 'told', 1],
      ],
    );
    const { data, text } = bodies[1] ?? assert.fail();
    assert.match(text, /^told, iteration 1 finished: mIoU 0\.\d{4}, gate first, 12 images drawn/);
    assert.match(data.report?.uri ?? '', /^s3:\/\/.*\/index\.html$/);
    const { ports } = readState(home) ?? assert.fail();
    assert.equal(
      data.temporal,
      `http://127.0.0.1:${ports.temporalUi}/namespaces/default/workflows/loop%3Atold%3Aiteration%3A0001`,
    );
  });

  it('answers Prometheus at three ports, with its speed, its cost and its mIoU', async () => {
    const pages = await Promise.all(
      [0, 1, 2].map(async (by) => (await fetch(`http://127.0.0.1:${port + by}/metrics`)).text()),
    );
    const [light = '', scan = '', train = ''] = pages;
    assert.match(light, /^partloop_iterations_total\{loop="told",status="finished"\} 1$/m);
    assert.match(light, /^partloop_step_seconds\{loop="told",step="train"\} \d/m);
    assert.match(
      scan,
      /^partloop_images_per_second_count\{loop="told",phase="judging",role="scan",step="scan"\} [1-9]/m,
    );
    assert.match(scan, /^partloop_miou\{loop="told"\} [01](\.\d+)?$/m);
    assert.match(scan, /^partloop_findings\{loop="told"\} \d+$/m);
    assert.match(train, /^partloop_activity_seconds_sum\{loop="told",outcome="done",role="train",step="train"\} \d/m);
    assert.match(train, /^partloop_items_done_total\{loop="told",role="train",step="train",unit="iterations"\} 6$/m);
    assert.match(train, /^partloop_queue_wait_seconds_count\{loop="told",role="train",step="train"\} 1$/m);
    for (const page of pages) assert.match(page, /^temporal_/m);
  });

  it('sends one trace, from all three workers, whose id its report and its log have', async () => {
    const { uri } = await storeOfHome(home);
    const trace = traceIdOf(uri, { loop: 'told', iteration: 1 });
    const { file } = z.looseObject({ file: z.string() }).parse(await partloopJson(home, ['report', 'open', 'told']));
    assert.ok((await readFile(file, 'utf8')).includes(trace));
    assert.ok((await readFile(join(home, 'logs', 'worker-train.log'), 'utf8')).includes(`"trace":"${trace}"`));
    // Workers send what they still have as they end.
    assert.equal((await partloop(home, ['down'])).code, 0);
    assert.deepEqual(collector.faults, []);
    assert.deepEqual([...new Set(collector.spans.map(({ traceId }) => traceId))], [trace]);
    const names = collector.spans.map(({ name }) => name);
    for (const name of [
      'iteration',
      'draw',
      'scan',
      'planScan',
      'scanShard',
      'sample',
      'train',
      'evaluate',
      'decide',
      'report',
    ])
      assert.ok(names.includes(name), `${name} is not among ${names.join(', ')}`);
    const ids = new Set(collector.spans.map(({ spanId }) => spanId));
    for (const { name, parentSpanId } of collector.spans)
      assert.equal(name === 'iteration', !ids.has(parentSpanId ?? ''), `${name} hangs below nothing`);
  });

  it('has neither secret nor address in a history, a log or a file of the stack', async () => {
    assert.equal((await partloop(home, ['up', '--detach'], { environment: { PARTLOOP_WORKERS: '' } })).code, 0);
    const { ports } = readState(home) ?? assert.fail();
    const connection = await Connection.connect({ address: `127.0.0.1:${ports.temporal}` });
    const client = new Client({ connection });
    const texts: string[] = [];
    for await (const { workflowId } of client.workflow.list())
      texts.push(written(await client.workflow.getHandle(workflowId).fetchHistory()));
    assert.ok(texts.some((text) => text.includes('"runId"')) && texts.length >= 3, 'payloads of histories are read');
    await connection.close();
    for (const entry of await readdir(join(home, 'logs')))
      texts.push(await readFile(join(home, 'logs', entry), 'utf8'));
    texts.push(await readFile(join(home, 'state.json'), 'utf8'));
    texts.push((await partloop(home, ['doctor'])).stdout);
    for (const hidden of [HIDDEN, SECRET, SECRET.slice(6)])
      assert.deepEqual(texts.filter((text) => text.includes(hidden)).length, 0, hidden);
  });
});
