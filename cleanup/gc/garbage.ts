import type { Kind } from '../../domain/cleanup/kinds.js';
import type { ObjectFacts } from '../../storage/objects/objectStore.js';

/** An object that nothing reads any more. */
export interface Garbage {
  kind: Exclude<Kind, 'uploads' | 'evaluations' | 'copies'>;
  iteration: number;
  facts: ObjectFacts;
  /** It is written over in its life: it goes only if it is still the version that was seen. */
  isRewritten: boolean;
}

/** From when on something counts as old. */
export interface Cutoffs {
  /** Nothing goes that was written after this, nor anything of a step that was finished after it. */
  written: Date;
  /** Files of unfinished steps, uploads, evaluations and copies go if nothing of them was written after this. */
  abandoned: Date;
}

/** What runs: nothing of it goes. */
export interface OpenWork {
  /** Ids of the workflows, sorted. */
  ids: readonly string[];
  /** Whether the iteration of the loop, or the scan of this name, runs. */
  isOpen(loop: string, iteration: number): boolean;
}

/** A record that cannot be read: what depends on it stays. */
export interface Unreadable {
  key: string;
  why: string;
}
