import type { Split } from '../dataset.js';

/** Names of the splits among Hugging Face's tools. */
export const HF_SPLITS: Readonly<Record<Split, string>> = { train: 'train', val: 'validation', test: 'test' };
