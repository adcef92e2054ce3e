import type { Redrawn } from '../../../domain/board/batch.js';
import type { Box, Shown } from '../../../domain/board/protocol.js';
import type { Action } from './keys.js';

export type Answer = 'accept' | 'right' | 'wrong' | 'unsure';

/** An answer as the page has it. */
export interface Given {
  verdict: Answer;
  redrawn: Redrawn | null;
  comment: string;
  /** Ids of findings that hold; only of a wrong label that nobody drew. */
  objectsTo: readonly string[];
  activeMs: number;
}

/** What a queue asks about: findings, or whole labels. */
export interface Subject<Item extends Shown> {
  /** Of its items, for ears. */
  readonly noun: string;
  /** What the column says of an item; null if nothing is left. */
  describe(item: Item | null): HTMLElement[];
  /** An item in the words of a message. */
  nameOf(item: Item): string;
  /** The answers, in the order of their buttons. */
  answers(item: Item): readonly { action: Action; text: string }[];
  /** The request that brings an answer to the server. */
  requestOf(item: Item, given: Given): object;
  /** Ask which findings hold in a wrong label. `point` shows a place in the picture. */
  askWhatHolds(item: Item, point: (box: Box | null) => void, onDone: (findingIds: readonly string[]) => void): void;
}
