/** How often a sentence may come again although it was followed. */
const TRIES = { retry: 2, replay: 3 } as const;
/** Folders of the parts of a step, by the step that a person names. */
const STEP_OF_PART: Readonly<Record<string, string>> = { plan: 'scan', fold: 'scan', trial: 'tune' };

/**
 * The command that a failure's sentence asks for: a retry, or a replay from the step that it names, where it names
 * nothing else or where retrying brought the same failure. Null if all of it was tried. `repeats` counts earlier
 * failures with this sentence.
 */
export function commandFor(sentence: string, repeats: number, loop: string, iteration: number): string[] | null {
  const [, of = String(iteration), named] = /iteration replay \S+ (\d+) --from ([a-z]+)/.exec(sentence) ?? [];
  const stored = sentence.includes('--from STEP') ? /iterations\/\d+\/([a-z]+)\//.exec(sentence)?.[1] : undefined;
  const step = named ?? (stored === undefined ? undefined : (STEP_OF_PART[stored] ?? stored));
  const isReplay = step !== undefined && (repeats > 0 || !sentence.includes('retry'));
  if (isReplay) return repeats < TRIES.replay ? ['iteration', 'replay', loop, of, '--from', step] : null;
  return repeats < TRIES.retry ? ['loop', 'retry', loop] : null;
}
