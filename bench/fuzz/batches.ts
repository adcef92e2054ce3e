import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Report, reportSchema } from './child.js';
import { MAX_CASE_MS, targetOf } from './engine.js';

export type CaseReport = Extract<Report, { outcome: string }>;

/** Cases of one process, so that small leaks do not add up over all of them. */
const BATCH = 2_000;
/** A case that is silent for so long hangs, and its process is ended. */
const HANGS_AFTER_MS = 6 * MAX_CASE_MS;
const HEAP_MB = 1_536;
const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));

/**
 * Run cases in child processes. One that takes its process down, or hangs, is a failure like any other; the next one
 * continues.
 */
export async function runBatches(
  seed: number,
  numbers: readonly number[],
  only: string | null,
  onReport: (report: CaseReport) => void,
): Promise<void> {
  for (let next = 0; next < numbers.length; ) {
    const batch = numbers.slice(next, next + BATCH);
    next += await runBatch(seed, batch, only, onReport);
  }
}

/** Number of finished cases. */
function runBatch(
  seed: number,
  numbers: readonly number[],
  only: string | null,
  onReport: (report: CaseReport) => void,
): Promise<number> {
  return new Promise((resolve) => {
    const child = fork(CHILD, {
      execArgv: [`--max-old-space-size=${HEAP_MB}`],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let said = '';
    let current: number | null = null;
    let done = 0;
    let hung = false;
    let timer: NodeJS.Timeout | undefined;
    const watch = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        hung = true;
        child.kill('SIGKILL');
      }, HANGS_AFTER_MS);
    };
    child.stderr?.on('data', (piece: Buffer) => {
      said = (said + piece.toString('utf8')).slice(-4_000);
    });
    child.on('message', (message) => {
      watch();
      const report = reportSchema.parse(message);
      if ('began' in report) {
        current = report.began;
        return;
      }
      current = null;
      done += 1;
      onReport(report);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (done < numbers.length) {
        const number = current ?? (numbers[done] as number);
        const { name: target } = targetOf(number, only);
        const how = hung ? `hung for over ${HANGS_AFTER_MS / 1_000} s` : `took its process down (${signal ?? code})`;
        const failure = { target, number, reason: `${how}\n${said}`, files: {} };
        onReport({ target, number, outcome: 'failed', ms: 0, failure });
        done += 1;
      }
      resolve(done);
    });
    watch();
    child.send({ seed, numbers, only });
  });
}
