import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { pino } from 'pino';
import { PartloopError } from '../../../domain/base/errors.js';
import { traceIdOf } from '../../../steps/trace.js';
import { openTracing, type Tracing } from '../../../telemetry/traces/tracing.js';
import { castErrors } from '../../../workers/castErrors.js';
import { activityFields } from '../../../workers/logFields.js';
import { traced } from '../../../workers/traced.js';
import { stepResult } from '../../support/standIns/stepResult.js';
import { type CollectedSpan, Collector } from './collector.js';

const STORE = 's3://bucket/prefix';
const ITERATION = 'loop:cars:iteration:0003';
const STARTED: Readonly<Record<string, Date>> = {
  [ITERATION]: new Date('2026-11-01T10:00:00Z'),
  [`${ITERATION}:scan`]: new Date('2026-11-01T11:00:00Z'),
};
const CLOSED = new Date('2026-11-01T12:00:00Z');

describe('the trace of an iteration', () => {
  let collector: Collector;
  let endpoint: string | undefined;
  let warnings: string[];
  const opened = (): Tracing =>
    openTracing(pino({}, { write: (line: string) => void warnings.push(line) }), { 'service.instance.id': 'scan@box' });

  beforeEach(async () => {
    collector = await Collector.start();
    endpoint = process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
    Object.assign(process.env, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    warnings = [];
  });
  afterEach(async () => {
    if (endpoint === undefined) Reflect.deleteProperty(process.env, 'OTEL_EXPORTER_OTLP_ENDPOINT');
    else Object.assign(process.env, { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
    await collector.stop();
  });

  /** One activity on a worker of its own. */
  async function run(
    tracing: Tracing,
    activityType: string,
    work: () => Promise<unknown>,
    { workflowId = ITERATION, args = [] as unknown[], role = 'scan' } = {},
  ): Promise<void> {
    const environment = new MockActivityEnvironment({
      activityType,
      attempt: 2,
      workflowExecution: { workflowId, runId: 'r' },
    });
    const describe = async (id: string) => ({ startTime: STARTED[id] ?? assert.fail(id), closeTime: CLOSED });
    const outer = traced({ tracing, role, storeUri: STORE, describe })(environment.context).inbound?.execute;
    const inner = castErrors(role)(environment.context).inbound?.execute;
    assert.ok(outer && inner);
    await environment.run(() => outer({ args, headers: {} }, (input) => inner(input, work))).catch(() => undefined);
  }
  const named = (name: string): CollectedSpan => {
    const [span = assert.fail(name), ...others] = collector.spans.filter((one) => one.name === name);
    assert.equal(others.length, 0, name);
    return span;
  };

  it('is one, whoever sends its spans, with shards below the scan and steps below the iteration', async () => {
    const [first, second] = [opened(), opened()];
    const scan = `${ITERATION}:scan`;
    let logged: unknown;
    await run(first, 'draw', async () => {
      logged = activityFields().trace;
    });
    await run(first, 'scanShard', async () => undefined, { workflowId: scan, args: [{ shard: 7, setupKey: 'x' }] });
    await run(second, 'train', () => Promise.reject(new PartloopError('disk-full', 'no room')), { role: 'train' });
    const results = { scan: stepResult('scan'), tune: { ...stepResult('tune'), outcome: 'hit' } };
    const recorded = { context: { loop: 'cars', iteration: 3 }, results, status: 'finished', error: null };
    await run(second, 'recordIteration', async () => undefined, { args: [recorded], role: 'light' });
    await run(second, 'scanShard', async () => undefined, { workflowId: 'scan:night', args: [{ shard: 1 }] });
    await Promise.all([first.shutdown(), second.shutdown()]);

    assert.deepEqual(collector.faults, []);
    assert.deepEqual([...new Set(collector.paths)], ['/v1/traces']);
    assert.deepEqual([...new Set(collector.services)], ['partloop']);
    const names = collector.spans.map(({ name }) => name).sort();
    assert.deepEqual(names, ['draw', 'iteration', 'recordIteration', 'scan', 'scanShard', 'train']);
    const expected = createHash('sha256')
      .update(JSON.stringify([STORE, 'cars', 3]))
      .digest('hex')
      .slice(0, 32);
    assert.deepEqual([...new Set(collector.spans.map(({ traceId }) => traceId))], [expected]);
    assert.equal(traceIdOf(STORE, { loop: 'cars', iteration: 3 }), expected);
    assert.equal(logged, expected);

    const [root, step] = [named('iteration'), named('scan')];
    assert.ok(!root.parentSpanId);
    assert.equal(step.parentSpanId, root.spanId);
    assert.equal(named('draw').parentSpanId, root.spanId);
    assert.equal(named('scanShard').parentSpanId, step.spanId);
    assert.equal(root.startTimeUnixNano, BigInt(Date.parse('2026-11-01T10:00:00Z')) * 1_000_000n);
    assert.equal(step.startTimeUnixNano, BigInt(Date.parse('2026-11-01T11:00:00Z')) * 1_000_000n);
    assert.equal(step.endTimeUnixNano, BigInt(CLOSED.getTime()) * 1_000_000n);
    const { attributes, status } = named('train');
    assert.equal(status?.code, 2);
    assert.match(status?.message ?? '', /no room/);
    assert.deepEqual(attributes, {
      ...{ 'partloop.loop': 'cars', 'partloop.iteration': 3, 'partloop.step': 'train', 'partloop.role': 'train' },
      ...{ 'partloop.attempt': 2, 'partloop.outcome': 'disk-full' },
    });
    assert.equal(named('scanShard').attributes['partloop.shard'], 7);
  });

  it('is another one for another store, loop or iteration', () => {
    const ids = [
      traceIdOf(STORE, { loop: 'cars', iteration: 1 }),
      traceIdOf(STORE, { loop: 'cars', iteration: 2 }),
      traceIdOf(STORE, { loop: 'vans', iteration: 1 }),
      traceIdOf('s3://other', { loop: 'cars', iteration: 1 }),
    ];
    assert.equal(new Set(ids).size, 4);
  });

  it('delays and fails nothing if nobody takes spans, and the log has a warning', async () => {
    collector.status = 400;
    const tracing = opened();
    let isDone = false;
    await run(tracing, 'draw', async () => {
      isDone = true;
    });
    await tracing.shutdown();
    assert.ok(isDone);
    assert.deepEqual(collector.spans, []);
    assert.match(warnings.join(''), /"level":40.*spans were not sent/);
  });
});
