import type { Taxonomy } from '../taxonomy.js';
import { carParts34 } from './carParts34.js';
import { dsmlr18 } from './dsmlr18.js';

/** Built-in taxonomies by name. */
export const TAXONOMIES: Readonly<Record<string, Taxonomy>> = {
  [carParts34.name]: carParts34,
  [dsmlr18.name]: dsmlr18,
};
