import { z } from 'zod';
import type { IndexRow } from '../../tables.js';

/** Which images of a pool a scan of its own judges. */
export const splitChoiceSchema = z.enum(['train', 'val', 'test', 'all']);
export type SplitChoice = z.infer<typeof splitChoiceSchema>;

/** Whether an image is on the side of the split that was chosen. */
export const isInSplit = ({ split }: Pick<IndexRow, 'split'>, choice: SplitChoice): boolean =>
  choice === 'all' || split === choice;

/** The sides of the split for people. */
export const SPLIT_IN_WORDS: Readonly<Record<SplitChoice, string>> = {
  train: 'the training split',
  val: 'the validation split',
  test: 'the test split',
  all: 'every split',
};
