/** Pictures that each session takes in a trial. */
const RUNS = 3;
/** More sessions must be faster by this factor to be worth their memory. */
const WORTH = 1.05;

/** Something that takes one picture. */
export interface Runner {
  run(): Promise<unknown>;
}

/**
 * How many of `runners` to use together: 1, 2, 4, … of them are timed, and more are used as long as they gain at least
 * 5 %. `now` gives milliseconds.
 */
export async function fastestCount(
  runners: readonly Runner[],
  now: () => number = () => performance.now(),
): Promise<number> {
  // The first picture of a session pays for its memory.
  await Promise.all(runners.map((runner) => runner.run()));
  let best = { count: 1, rate: 0 };
  for (let count = 1; ; count = Math.min(runners.length, 2 * count)) {
    const start = now();
    await Promise.all(
      runners.slice(0, count).map(async (runner) => {
        for (let run = 0; run < RUNS; run++) await runner.run();
      }),
    );
    const rate = (count * RUNS) / Math.max(1e-6, now() - start);
    if (rate >= WORTH * best.rate) best = { count, rate };
    if (count >= runners.length) return best.count;
  }
}
