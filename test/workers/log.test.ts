import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { MockActivityEnvironment } from '@temporalio/testing';
import { z } from 'zod';
import { SCAN_QUEUE } from '../../domain/base/queues.js';
import { PrintedLines } from '../../training/process/printedLines.js';
import { runtimeLogs, workerLog } from '../../workers/log.js';
import { withInput, workflowFields } from '../../workers/logFields.js';

const lineSchema = z.looseObject({ msg: z.string(), pid: z.number(), host: z.string() });

/** A log whose lines are kept. */
function keptLog(role: string) {
  const lines: z.infer<typeof lineSchema>[] = [];
  const log = workerLog(role, { write: (line: string) => void lines.push(lineSchema.parse(JSON.parse(line))) });
  return { log, lines };
}

const inScan = (): MockActivityEnvironment =>
  new MockActivityEnvironment({
    workflowExecution: { workflowId: 'loop:cars:iteration:0007:scan', runId: 'run-1' },
    ...{ activityType: 'scanShard', taskQueue: SCAN_QUEUE, attempt: 3 },
  });
const FIELDS = {
  ...{ role: 'scan', workflow: 'loop:cars:iteration:0007:scan', run: 'run-1', loop: 'cars', iteration: 7 },
  ...{ step: 'scanShard', shard: 5, attempt: 3 },
};
const among = (line: object | undefined): object =>
  Object.fromEntries(Object.entries(line ?? {}).filter(([name]) => name in FIELDS));

describe('the log of a worker', () => {
  it('gives the workflow, run, loop, iteration, step, shard and attempt of each line of an activity', async () => {
    const { log, lines } = keptLog('all');
    await inScan().run(() => withInput([{ planKey: 'plan.json', shard: 5 }], async () => log.info('judging')));
    log.info('polls for tasks');
    assert.deepEqual(among(lines[0]), FIELDS);
    assert.deepEqual(among(lines[1]), { role: 'all' });
    assert.equal(lines[0]?.pid, process.pid);
  });

  it('gives the same for the output of a program that the activity started', async () => {
    const { log, lines } = keptLog('scan');
    await inScan().run(() =>
      withInput([{ shard: 5 }], async () => {
        const printed = new PrintedLines((line) => log.info({ stream: 'stderr' }, line));
        const child = spawn(process.execPath, ['-e', 'console.error("warning: one"); process.stderr.write("two")']);
        child.stderr.setEncoding('utf8').on('data', (text: string) => printed.push(text));
        await new Promise((done) => child.once('close', done));
        printed.end();
      }),
    );
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      ['warning: one', 'two'],
    );
    for (const line of lines) assert.deepEqual(among(line), FIELDS);
  });

  it('takes loop and iteration from the input if the workflow has another name', async () => {
    const { log, lines } = keptLog('light');
    const other = new MockActivityEnvironment({ workflowExecution: { workflowId: 'mine', runId: 'run-1' } });
    const input = { context: { loop: 'vans', iteration: 2, config: {} } };
    await other.run(() => withInput([input], async () => log.info('drawn')));
    assert.deepEqual([lines[0]?.loop, lines[0]?.iteration], ['vans', 2]);
    assert.deepEqual(workflowFields('scan:night'), { loop: 'night' });
    assert.deepEqual(workflowFields('start-cars'), {});
  });

  it('holds messages of Temporal’s libraries and of workflows, under the same names', () => {
    const { log, lines } = keptLog('light');
    const { logger } = runtimeLogs(log);
    const error = new TypeError('x is not a function');
    logger?.warn('Activity failed', {
      ...{ workflowId: 'loop:cars:iteration:0002', runId: 'run-2', activityType: 'draw', attempt: 4, error },
    });
    logger?.debug('nobody needs this');
    assert.equal(lines.length, 1);
    const [line] = lines;
    assert.deepEqual(
      [line?.msg, line?.workflow, line?.run, line?.loop, line?.iteration, line?.step, line?.attempt, line?.role],
      ['Activity failed', 'loop:cars:iteration:0002', 'run-2', 'cars', 2, 'draw', 4, 'light'],
    );
    assert.match(JSON.stringify(line?.err), /x is not a function/);
  });

  it('cuts the output of a program into lines, however it arrives and however long they are', () => {
    const lines: string[] = [];
    const printed = new PrintedLines((line) => lines.push(line));
    for (const piece of ['on', 'e\ntw', 'o\r\n', '10 %\r20 %\r', `${'x'.repeat(4_500)}\n`, 'end']) printed.push(piece);
    printed.end();
    assert.deepEqual(
      lines.map(({ length }) => length),
      [3, 3, 4, 4, 2_000, 2_000, 500, 3],
    );
  });
});
