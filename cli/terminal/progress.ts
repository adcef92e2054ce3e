import { Listr, ListrLogger, ProcessOutput } from 'listr2';
import { counted } from '../../domain/base/counted.js';
import { interruptible, type Parting, stoppable } from './interrupt.js';
import { say } from './output.js';
import { forTerminal } from './terminal.js';

/** The counted unit, singular and plural. */
export type Unit = readonly [one: string, other: string];
export const IMAGES: Unit = ['image', 'images'];
export const OBJECTS: Unit = ['object', 'objects'];

/** Interval between lines of progress in a log: the log stays short, and shows that something happens. */
const LINE_EVERY_MS = 10_000;

/** A task whose line can be changed while it runs. */
export interface ProgressLine {
  title(text: string): void;
  detail(text: string): void;
}

/** Run work under a line on stderr, which leaves stdout to facts; in a log, one line per change. */
export async function withProgress<T>(title: string, work: (line: ProgressLine) => Promise<T>): Promise<T> {
  const logger = new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stderr) });
  const answer: { value?: { of: T } } = {};
  const tasks = new Listr(
    [
      {
        title: forTerminal(title),
        task: async (_, task) => {
          const line: ProgressLine = {
            title: (text) => {
              task.title = forTerminal(text);
            },
            detail: (text) => {
              task.output = forTerminal(text);
            },
          };
          answer.value = { of: await work(line) };
        },
      },
    ],
    {
      // Ctrl-C is answered in one place for all commands.
      registerSignalListeners: false,
      fallbackRenderer: 'simple',
      fallbackRendererCondition: () => !process.stderr.isTTY,
      rendererOptions: { logger },
      fallbackRendererOptions: { logger },
    },
  );
  await tasks.run();
  if (answer.value === undefined) throw new Error(`${title} ended without an answer`);
  return answer.value.of;
}

/**
 * Run long work under a line on stderr that counts; in a log, a line every ten seconds. Ctrl-C prints the progress and
 * the text of `parting`; work that must clean up (`inGoodOrder`) gets the signal first.
 */
export async function withCounter<T>(
  title: string,
  unit: Unit,
  work: (onProgress: (done: number) => void, signal: AbortSignal | undefined) => Promise<T>,
  {
    parting = () => ['Run the same command again to go on: finished work is kept.'],
    inGoodOrder = false,
  }: { parting?: Parting; inGoodOrder?: boolean } = {},
): Promise<T> {
  let done = 0;
  const stopped: Parting = () => [`${title} stopped after ${counted(done, ...unit)}.`, ...parting()];
  const counting = async (signal?: AbortSignal): Promise<T> => {
    if (process.stderr.isTTY) {
      return withProgress(title, (line) =>
        work((count) => {
          done = count;
          line.title(`${title}: ${counted(done, ...unit)}`);
        }, signal),
      );
    }
    say(`${title} …`);
    const timer = setInterval(() => say(`${title}: ${counted(done, ...unit)}`), LINE_EVERY_MS);
    try {
      return await work((count) => {
        done = count;
      }, signal);
    } finally {
      clearInterval(timer);
    }
  };
  return inGoodOrder ? stoppable(stopped, counting) : interruptible(stopped, counting);
}
