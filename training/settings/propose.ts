import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PartloopError } from '../../domain/base/errors.js';
import type { proposalRequest } from '../../domain/tune/trials.js';
import type { ActivityDeps } from '../../steps/deps.js';
import { runTrainer, trainerPython } from '../process/process.js';
import { trainerFailure } from '../process/trainerEnd.js';

const STALL_MS = 5 * 60_000;

/**
 * The trainer's next proposal of settings, by name.
 *
 * @throws PartloopError `trainer-failed` if it ends without a proposal
 */
export async function proposedParams(
  deps: ActivityDeps,
  request: ReturnType<typeof proposalRequest>,
  signal: AbortSignal,
): Promise<Record<string, number | string>> {
  const folder = join(resolve(deps.home), 'work', `propose-${randomUUID()}`);
  await mkdir(folder, { recursive: true });
  try {
    const job = join(folder, 'request.json');
    await writeFile(job, JSON.stringify(request));
    let answer: Record<string, number | string> | null = null;
    const end = await runTrainer({
      onLine: (line, stream) => deps.log.info({ stream }, line),
      command: 'propose',
      python: await trainerPython(deps.root),
      packageRoot: join(resolve(deps.root), 'trainer'),
      ...{ job, cwd: folder, network: false, stallMs: STALL_MS, graceMs: 5_000, signal },
      onMessage: (message) => {
        if (message.type === 'proposal') answer = message.params;
      },
    });
    signal.throwIfAborted();
    const failure = trainerFailure(end);
    if (failure !== null) throw failure;
    if (answer !== null) return answer;
    throw new PartloopError('trainer-failed', 'the trainer ended without a proposal', {
      hint: 'Trainer and partloop do not match; run `npm run bootstrap`.',
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
