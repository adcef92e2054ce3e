import { Listr, ListrLogger, ProcessOutput } from 'listr2';

/** A logger for progress that leaves stdout to facts. */
export const stderrLogger = (): ListrLogger =>
  new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stderr) });

/** Run long work under a line on stderr that counts. */
export async function withCounter<T>(
  title: string,
  unit: string,
  work: (onProgress: (done: number) => void) => Promise<T>,
): Promise<T> {
  const logger = stderrLogger();
  const answer: { value?: { of: T } } = {};
  const tasks = new Listr(
    [
      {
        title,
        task: async (_, task) => {
          answer.value = {
            of: await work((done) => {
              task.title = `${title}: ${done} ${unit}`;
            }),
          };
        },
      },
    ],
    { fallbackRenderer: 'silent', rendererOptions: { logger } },
  );
  await tasks.run();
  if (answer.value === undefined) throw new Error(`${title} ended without an answer`);
  return answer.value.of;
}
