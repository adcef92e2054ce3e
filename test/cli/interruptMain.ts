import { answerInterrupts, ignoreInterrupts, stoppable } from '../../cli/terminal/interrupt.js';
import { say } from '../../cli/terminal/output.js';
import { IMAGES, withCounter, withProgress } from '../../cli/terminal/progress.js';

/** Work that never ends, under the line of progress that commands have; the test ends it. */
const never = (): Promise<never> => new Promise(() => setInterval(() => {}, 1_000));

const kinds: Record<string, () => Promise<unknown>> = {
  counter: () =>
    withCounter('import', IMAGES, (onProgress) => {
      onProgress(17);
      return never();
    }),
  goodOrder: () =>
    withCounter(
      'import',
      IMAGES,
      async (onProgress, signal) => {
        onProgress(17);
        await new Promise((_, reject) =>
          signal?.addEventListener('abort', () => setTimeout(reject, 500, signal.reason)),
        );
      },
      { inGoodOrder: true },
    ),
  progress: () => withProgress('loop cars', never),
  stoppable: () =>
    stoppable(
      () => ['Put in order.'],
      async (signal) => {
        say('at work');
        await new Promise((_, reject) => {
          const alive = setInterval(() => {}, 1_000);
          signal.addEventListener('abort', () => {
            clearInterval(alive);
            reject(signal.reason);
          });
        });
      },
    ),
  ownAnswer: async () => {
    ignoreInterrupts();
    const wait = withProgress(
      'loop demo',
      () => new Promise((_, reject) => process.on('SIGINT', () => reject(new Error('asked to stop')))),
    );
    const alive = setInterval(() => {}, 1_000);
    await wait.catch(() => say('The demo goes on where it stopped.'));
    clearInterval(alive);
  },
  stubborn: () =>
    stoppable(
      () => ['Ended at once.'],
      async () => {
        say('at work');
        await never();
      },
    ),
};

answerInterrupts({ json: process.argv.includes('--json') });
await kinds[process.argv[2] ?? '']?.();
