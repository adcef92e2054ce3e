import { nameSchema } from '../base/ids.js';
import type { RegisteredModel } from './decision.js';

/**
 * The words by which a person names a model: by the loop and the iteration that trained it (`cars:3`, `cars:3@1` for
 * its first attempt, `cars:baseline`), or by the first digits of its file's digest.
 */
export type ModelReference =
  | { kind: 'trained'; text: string; loop: string; iteration: number | null; attempt: number | null }
  | { kind: 'digest'; text: string; prefix: string };

/** A model that may be named. */
export interface Named {
  model: Pick<RegisteredModel, 'loop' | 'iteration' | 'digest'>;
  /** Attempts at the iteration that trained it, counted from 1, the oldest first. */
  attempts: readonly number[];
  /** Whether it is the model that its loop and iteration stand for: no two of one iteration are. */
  isCurrent: boolean;
}

const TRAINED = /^([^:@]+):(?:(baseline)|(\d{1,6})(?:@(\d{1,6}))?)$/;
const DIGEST = /^[0-9a-f]{8,64}$/;
const SHORT = 12;

/** What a text names; null if it names no model. */
export function modelReference(text: string): ModelReference | null {
  if (DIGEST.test(text)) return { kind: 'digest', text, prefix: text };
  const [, loop, baseline, iteration, attempt] = TRAINED.exec(text) ?? [];
  if (loop === undefined || !nameSchema.safeParse(loop).success) return null;
  return {
    ...({ kind: 'trained', text, loop } as const),
    iteration: baseline === undefined ? Number(iteration) : null,
    attempt: attempt === undefined ? null : Number(attempt),
  };
}

/** The name of a model: its iteration, the oldest attempt that made it, or its digest if no record has it. */
export function modelName({ model, attempts, isCurrent }: Named): string {
  const name = `${model.loop}:${model.iteration ?? 'baseline'}`;
  if (isCurrent) return name;
  const [attempt] = attempts;
  return attempt === undefined ? shortDigest(model.digest) : `${name}@${attempt}`;
}

/** Whether a reference means this model. */
export function isNamed(named: Named, reference: ModelReference): boolean {
  const { model, attempts, isCurrent } = named;
  if (reference.kind === 'digest') return model.digest.startsWith(reference.prefix);
  if (model.loop !== reference.loop || model.iteration !== reference.iteration) return false;
  return reference.attempt === null ? isCurrent : attempts.includes(reference.attempt);
}

/** Enough of a digest to tell models apart. */
export const shortDigest = (digest: string): string => digest.slice(0, SHORT);
