import type { SampleConfig } from '../config.js';
import { byCover } from './byCover.js';
import { byNeed } from './byNeed.js';
import { evenly } from './evenly.js';
import type { SamplePolicy } from './policy.js';

export const POLICIES: Readonly<Record<SampleConfig['policy'], SamplePolicy>> = {
  need: byNeed,
  cover: byCover,
  random: evenly,
};
