import { z } from 'zod';
import type { IndexRow } from '../../tables.js';

/** The images of a pool that a scan outside a loop judges. */
export const splitChoiceSchema = z.enum(['train', 'val', 'test', 'all']);
export type SplitChoice = z.infer<typeof splitChoiceSchema>;

/** Whether an image is on the chosen side of the split. */
export const isInSplit = ({ split }: Pick<IndexRow, 'split'>, choice: SplitChoice): boolean =>
  choice === 'all' || split === choice;

/** The sides of the split for people. */
export const SPLIT_IN_WORDS: Readonly<Record<SplitChoice, string>> = {
  train: 'the training split',
  val: 'the validation split',
  test: 'the test split',
  all: 'every split',
};
