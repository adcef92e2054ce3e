import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PartloopError } from '../../domain/base/errors.js';
import { brokenText, type ReplayReport, replayReportSchema } from '../../domain/replayReport.js';
import { readVariables } from '../../domain/settings/variables.js';
import { ROOT } from '../home.js';

/** Time for all histories together; the rest is not checked, but reported. */
const SECONDS = 60;
const run = promisify(execFile);

/**
 * For use before workers start: open workflows of other builds must replay on this one, since one that does not would
 * stall silently. Reports workflows that could not be checked.
 *
 * @throws PartloopError `refused` naming each workflow that would break
 */
export async function assertOpenHistoriesReplay(
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<void> {
  if (readVariables(process.env).PARTLOOP_REPLAY_CHECK === 'off') return;
  const report = await replayed(environment, signal, say);
  if (report === null) return;
  if (report.left > 0)
    say(
      `${report.left} of ${report.open} open workflows were not replayed in ${SECONDS} s; \`partloop replay-check\` replays all.`,
    );
  if (report.broken.length === 0) return;
  throw new PartloopError('refused', brokenText(report), {
    hint: 'Start the build that began them and let them end there; `PARTLOOP_WORKERS= partloop up --detach` and `partloop replay-check` show more. PARTLOOP_REPLAY_CHECK=off starts anyway: those workflows then get stuck until a matching build runs, and their GPUs still cost money.',
  });
}

/** A failed check is no reason to stop all loops. */
async function replayed(
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<ReplayReport | null> {
  const script = join(ROOT, 'dist', 'workers', 'checks', 'replayCheckMain.js');
  try {
    const options = { env, signal, timeout: 2 * SECONDS * 1_000, maxBuffer: 16 * 2 ** 20 };
    const { stdout } = await run(process.execPath, [script, '--seconds', String(SECONDS)], options);
    return replayReportSchema.parse(JSON.parse(stdout));
  } catch (cause) {
    signal.throwIfAborted();
    say(
      `Open workflows could not be replayed (${cause instanceof Error ? cause.message.split('\n')[0] : String(cause)}).`,
    );
    return null;
  }
}
