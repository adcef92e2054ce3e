import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure, defaultFailureConverter, defaultPayloadConverter } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import fc from 'fast-check';
import type { Activities } from '../../activities/index.js';
import { PartloopError } from '../../domain/base/errors.js';
import { FAILURES, type FailureCode } from '../../domain/base/failures/failure.js';
import { LIGHT_QUEUE } from '../../domain/base/queues.js';
import { castError, castErrors } from '../../workers/castErrors.js';
import { shorten } from '../../workers/failureSize.js';
import { localEnvironment, workflowBundle } from '../support/servers/workflowEnvironment.js';
import { fakeActivities, stepResult, testConfig } from '../support/standIns/fakeActivities.js';

/** The part that the Temporal service keeps of the last failure of a retried activity. */
const LIMIT_BYTES = 4_096;
const PLACE = { role: 'scan', host: 'a-host-with-a-name-of-some-length.example' };
const MEGABYTE = 1_000_000;

/** An error that was caused by one that was caused by one …, each with a long message. */
function chain(depth: number, message: string): Error {
  let error: Error = new Error(message);
  for (let level = 1; level < depth; level++) error = new Error(`${level}: ${message}`, { cause: error });
  return error;
}

function bytesOf(error: unknown): number {
  const failure = defaultFailureConverter.errorToFailure(error, defaultPayloadConverter);
  return proto.temporal.api.failure.v1.Failure.encode(failure).finish().length;
}

describe('a failure on its way to the Temporal service', () => {
  it('fits the limit of the service, whatever its message, hint, letters and causes', () => {
    const text = fc.oneof(
      fc
        .constantFrom('x', 'ß', '画', '💥', '"\\\n')
        .chain((letter) => fc.integer({ min: 0, max: 30_000 }).map((times) => letter.repeat(times))),
      fc.string({ maxLength: 3_000, unit: 'grapheme' }),
    );
    const code = fc.constantFrom(...(Object.keys(FAILURES) as FailureCode[]));
    fc.assert(
      fc.property(code, text, fc.option(text), fc.integer({ min: 1, max: 50 }), (code, message, hint, depth) => {
        const cause = chain(depth, message);
        const ours = new PartloopError(code, message, { cause, ...(hint === null ? {} : { hint }) });
        const theirs = ApplicationFailure.create({ type: message, message, details: [{ hint }, message], cause });
        for (const error of [ours, cause, theirs])
          assert.ok(
            bytesOf(castError(error, PLACE)) <= LIMIT_BYTES,
            `${error.name}: ${bytesOf(castError(error, PLACE))}`,
          );
      }),
      { numRuns: 200 },
    );
  });

  it('keeps its hint whole if its message is cut', () => {
    const hint = 'Set PARTLOOP_HOME to a larger disk.';
    const cast = castError(new PartloopError('data-invalid', `head${'x'.repeat(MEGABYTE)}tail`, { hint }), PLACE);
    assert(cast instanceof ApplicationFailure);
    assert.match(cast.message, /^headx+ … x+tail\.\nSet PARTLOOP_HOME to a larger disk\.$/);
  });

  it('is cut between letters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.integer({ min: 10, max: 100 }), (text, bytes) => {
        const cut = shorten(text, bytes);
        assert.ok(Buffer.byteLength(cut) <= Math.max(bytes, 0));
        assert.ok(!cut.includes('\uFFFD') || text.includes('\uFFFD'));
      }),
    );
  });
});

describe('a failure that the Temporal service keeps', function () {
  this.timeout(120_000);
  let environment: TestWorkflowEnvironment;
  before(async () => {
    environment = await localEnvironment();
  });
  after(() => environment?.teardown());

  const faults: Record<string, Error> = {
    'a message of 1 MB': new TypeError(`the first words ${'x'.repeat(MEGABYTE)}`),
    'a chain of 500 causes of 2 kB': chain(500, `the first words ${'x'.repeat(2_000)}`),
  };
  for (const [name, fault] of Object.entries(faults)) {
    it(`is shown in its own words if it has ${name}`, async () => {
      const { activities } = fakeActivities();
      const planScan = (): Promise<never> => Promise.reject(fault);
      const worker = await Worker.create({
        connection: environment.nativeConnection,
        taskQueue: LIGHT_QUEUE,
        activities: { ...activities, planScan } satisfies Activities,
        workflowBundle: await workflowBundle(),
        interceptors: { activity: [castErrors('light')] },
      });
      const context = { loop: 'cars', iteration: 1, config: testConfig, previous: null, force: null };
      const last = await worker.runUntil(async () => {
        const handle = await environment.client.workflow.start('mislabelScan', {
          workflowId: `scan:${name.replaceAll(' ', '-')}`,
          taskQueue: LIGHT_QUEUE,
          args: [{ context, draw: stepResult('draw') }],
        });
        for (;;) {
          const { raw } = await handle.describe();
          const message = raw.pendingActivities?.[0]?.lastFailure?.message;
          if (message != null) {
            await handle.terminate();
            return message;
          }
          await sleep(50);
        }
      });
      assert.match(last, /the first words x/);
      assert.doesNotMatch(last, /exceeds/i);
    });
  }
});
