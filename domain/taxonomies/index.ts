import { own } from '../base/own.js';
import type { Taxonomy } from '../taxonomy.js';
import { carParts34 } from './carParts34.js';
import { dsmlr18 } from './dsmlr18.js';

/** Built-in taxonomies by name. */
export const TAXONOMIES: Readonly<Record<string, Taxonomy>> = {
  [carParts34.name]: carParts34,
  [dsmlr18.name]: dsmlr18,
};

/** The built-in taxonomy of this name; the name may be any text. */
export const builtInTaxonomy = (name: string): Taxonomy | undefined => own(TAXONOMIES, name);
