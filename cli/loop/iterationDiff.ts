import { InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { nameSchema } from '../../domain/base/ids.js';
import { type AttemptDiff, attemptDiff } from '../../domain/loop/attemptDiff.js';
import type { IterationAttempt } from '../../domain/loop/state.js';
import { shownValue } from '../../domain/shownFacts.js';
import { factLabel } from '../../domain/stepContract.js';
import { CONTRACTS } from '../../domain/steps.js';
import { readLoopState } from '../../storage/loopState.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readTable } from '../../storage/tables/table.js';
import { printLine, printTable } from '../terminal/output.js';

/** An iteration of a loop, or one attempt at it; null means the one that later iterations build on. */
export interface IterationReference {
  text: string;
  loop: string;
  iteration: number;
  attempt: number | null;
}

const REFERENCE = /^([^:@]+):(\d{1,6})(?:@(\d{1,6}))?$/;

/** `cars:3` or `cars:3@2` on the command line. */
export function iterationReference(text: string): IterationReference {
  const [, loop, iteration, attempt] = REFERENCE.exec(text) ?? [];
  if (loop === undefined || !nameSchema.safeParse(loop).success)
    throw new InvalidArgumentError(
      `\`${text}\` is not an iteration: give LOOP:N or LOOP:N@ATTEMPT, e.g. cars:3 or cars:3@1.`,
    );
  return { text, loop, iteration: Number(iteration), attempt: attempt === undefined ? null : Number(attempt) };
}

/** The common and the different parts of two attempts. */
export interface IterationDifference extends AttemptDiff {
  a: { reference: string; status: string; error: string | null };
  b: { reference: string; status: string; error: string | null };
  /** Images that either added to the training set; null if one did not get that far. */
  picks: { both: number; onlyA: number; onlyB: number } | null;
}

/** @throws PartloopError `not-found` listing what there is */
export async function compareIterations(
  store: ObjectStore,
  a: IterationReference,
  b: IterationReference,
): Promise<IterationDifference> {
  const [one, other] = [await findAttempt(store, a), await findAttempt(store, b)];
  const [picksA, picksB] = [await picksOf(store, one), await picksOf(store, other)];
  const both = picksB === null ? 0 : [...(picksA ?? [])].filter((id) => picksB.has(id)).length;
  const known = picksA !== null && picksB !== null;
  return {
    a: { reference: a.text, status: one.status, error: one.error },
    b: { reference: b.text, status: other.status, error: other.error },
    ...attemptDiff(one, other),
    picks: known ? { both, onlyA: picksA.size - both, onlyB: picksB.size - both } : null,
  };
}

async function findAttempt(store: ObjectStore, reference: IterationReference): Promise<IterationAttempt> {
  const { text, loop, iteration, attempt } = reference;
  const { iterations } = await readLoopState(store, loop);
  const entry = iterations.find((each) => each.iteration === iteration);
  if (entry === undefined) {
    const numbers = iterations.map((each) => each.iteration).join(', ');
    throw new PartloopError(
      'not-found',
      `there is no iteration \`${text}\`; loop \`${loop}\` has ${numbers || 'none'}`,
      {
        hint: '`partloop loop status` lists loops; an iteration is recorded at its end.',
      },
    );
  }
  if (attempt === null) return entry.current;
  const attempts = [...entry.others, entry.current].toSorted((x, y) => (x.recordedAt < y.recordedAt ? -1 : 1));
  const found = attempts[attempt - 1];
  if (found !== undefined) return found;
  throw new PartloopError(
    'not-found',
    `there is no attempt \`${text}\`; iteration ${iteration} has ${attempts.length}`,
    {
      hint: `\`partloop iteration show ${loop} ${iteration}\` shows it.`,
    },
  );
}

const pickSchema = z.object({ imageId: z.string() });

async function picksOf(store: ObjectStore, { results }: IterationAttempt): Promise<Set<string> | null> {
  const key = results.sample?.outputs.sample;
  if (key === undefined) return null;
  return new Set((await readTable(store, key, pickSchema)).map(({ imageId }) => imageId));
}

const shown = (value: unknown): string =>
  value === undefined
    ? '–'
    : typeof value === 'number'
      ? String(Number(value.toFixed(4)))
      : typeof value === 'string'
        ? value.slice(0, 40)
        : JSON.stringify(value);

/** The difference as tables: settings, steps with the facts that differ, picks. */
export function printDifference({ a, b, settings, steps, picks }: IterationDifference): void {
  printLine(`a  ${a.reference}: ${a.status}${a.error === null ? '' : `, ${a.error}`}`);
  printLine(`b  ${b.reference}: ${b.status}${b.error === null ? '' : `, ${b.error}`}`);
  printLine();
  if (settings.length === 0) printLine('The settings are the same.');
  printTable(settings.map(({ setting, ...values }) => ({ setting, a: shown(values.a), b: shown(values.b) })));
  printLine();
  printTable(
    steps.flatMap(({ step, same, facts }) => [
      { step, fact: same ? 'the same' : 'done separately', a: null, b: null },
      ...facts.map(({ fact, a, b }) => ({
        step: '',
        fact: factLabel(CONTRACTS[step], fact)?.label ?? fact,
        a: shownValue(step, fact, a),
        b: shownValue(step, fact, b),
      })),
    ]),
  );
  if (picks !== null)
    printLine(`Picked by both: ${picks.both}; by a alone: ${picks.onlyA}; by b alone: ${picks.onlyB}.`);
}
