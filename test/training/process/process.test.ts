import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runTrainer } from '../../../training/process/process.js';
import { type TrainerEnd, trainerFailure } from '../../../training/process/trainerEnd.js';

describe('the trainer as a process', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-process-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function run(
    body: string,
    options: { stallMs?: number; graceMs?: number; signal?: AbortSignal; onWarning?: () => void } = {},
  ): Promise<TrainerEnd> {
    const python = join(folder, 'python');
    await writeFile(python, `#!/bin/sh\n${body}\n`);
    await chmod(python, 0o755);
    return runTrainer({
      python,
      packageRoot: folder,
      job: join(folder, 'job.json'),
      cwd: folder,
      network: false,
      stallMs: options.stallMs ?? 60_000,
      graceMs: options.graceMs ?? 60_000,
      signal: options.signal ?? new AbortController().signal,
      onMessage: () => options.onWarning?.(),
    });
  }

  it('counts as stalled when it prints nothing, and is ended', async () => {
    const end = await run('exec sleep 600', { stallMs: 100 });
    assert.equal(trainerFailure(end)?.code, 'trainer-stalled');
  });

  it('is asked to save at a stop, and its own exit code counts', async () => {
    const stop = new AbortController();
    const body = `trap 'echo saved > "${folder}/saved"; exit 75' TERM; echo '{"v":1,"type":"warning","code":"ready","message":""}'; while :; do sleep 0.05; done`;
    const end = await run(body, { signal: stop.signal, onWarning: () => stop.abort() });
    assert.equal(end.exitCode, 75);
    assert.equal(await readFile(join(folder, 'saved'), 'utf8'), 'saved\n');
  });

  it('is killed with its children if it does not stop in time', async () => {
    const stop = new AbortController();
    const body = `trap '' TERM; sleep 600 & echo $! > "${folder}/child"; echo '{"v":1,"type":"warning","code":"ready","message":""}'; while :; do sleep 0.05; done`;
    const end = await run(body, { signal: stop.signal, graceMs: 100, onWarning: () => stop.abort() });
    assert.equal(end.exitCode, null);
    const child = Number(await readFile(join(folder, 'child'), 'utf8'));
    // A signal is on its way when the trainer is seen to have ended.
    const state = () => readFile(`/proc/${child}/stat`, 'utf8').catch(() => 'gone');
    for (let tries = 0; tries < 100 && !/gone|\) Z /.test(await state()); tries++) await sleep(50);
    assert.match(await state(), /gone|\) Z /);
  });

  it('does not start if its interpreter is missing, and the error says what to do', async () => {
    const end = await runTrainer({
      python: join(folder, 'absent'),
      packageRoot: folder,
      job: 'job.json',
      cwd: folder,
      network: false,
      stallMs: 60_000,
      graceMs: 1_000,
      signal: new AbortController().signal,
      onMessage: () => undefined,
    });
    const failure = trainerFailure(end);
    assert.equal(failure?.code, 'setup-incomplete');
    assert.match(failure?.hint ?? '', /bootstrap/);
  });
});
