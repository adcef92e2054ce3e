import { z } from 'zod';
import { runCase } from './engine.js';

/** The child's task. */
export const workSchema = z.object({
  seed: z.number(),
  numbers: z.array(z.number()),
  only: z.string().nullable(),
});
export type Work = z.output<typeof workSchema>;

export const failureSchema = z.object({
  target: z.string(),
  number: z.number(),
  reason: z.string(),
  files: z.record(z.string(), z.string()),
});

/** Its messages about each case: the beginning, then the outcome. */
export const reportSchema = z.union([
  z.object({ began: z.number() }),
  z.object({
    target: z.string(),
    number: z.number(),
    outcome: z.string(),
    ms: z.number(),
    failure: failureSchema.nullable(),
  }),
]);
export type Report = z.output<typeof reportSchema>;

/** Cases one after the other in a process of their own, which they may take down. */
async function work({ seed, numbers, only }: Work): Promise<void> {
  for (const number of numbers) {
    process.send?.({ began: number });
    const { target, outcome, ms, failure } = await runCase(seed, number, only, { bounded: true });
    process.send?.({ target, number, outcome, ms, failure });
  }
}

if (process.send !== undefined)
  process.once('message', (message) => {
    work(workSchema.parse(message)).then(
      () => process.disconnect(),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
