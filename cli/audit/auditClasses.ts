import { readFile, writeFile } from 'node:fs/promises';
import { counted } from '../../domain/base/counted.js';
import { PartloopError } from '../../domain/base/errors.js';
import { plainClassName } from '../../domain/taxonomies/categoryNames.js';
import { type MadeTaxonomy, taxonomyFromCategories } from '../../domain/taxonomies/fromCategories.js';
import type { Taxonomy } from '../../domain/taxonomy.js';
import type { CocoOutline } from '../../formats/coco/outline.js';
import type { ClassRules } from '../../formats/reading/classMatcher.js';
import { loadTaxonomy } from '../commands/import.js';
import { say } from '../terminal/output.js';

const NAMES_SHOWN = 8;

/** The classes of an audit: its taxonomy, and the class of each category. */
export interface AuditClasses {
  taxonomy: Taxonomy;
  rules: ClassRules;
  /** What was made of the categories' names. */
  made: MadeTaxonomy;
  /** Pictures may be mirrored in training: no side lacks its partner. */
  mayFlip: boolean;
  /** Label value of each category by its id; 0 for background, 255 for ignored pixels. */
  labelOf: ReadonlyMap<string, number>;
}

/**
 * The classes that the categories make, or those of an edited taxonomy.
 *
 * @throws PartloopError `input-invalid` for categories that make none, and for those that the edited taxonomy lacks
 */
export async function auditClasses(
  { categories }: CocoOutline,
  { taxonomy: edited }: { taxonomy: string | undefined },
): Promise<AuditClasses> {
  const made = taxonomyFromCategories(
    categories.map(({ name }) => name),
    'audit',
  );
  const taxonomy = edited === undefined ? made.taxonomy : await loadTaxonomy(edited);
  const values = new Map(taxonomy.classes.map(({ name }, at) => [name, at + 1]));
  values.set('background', 0).set('ignored', 255);
  const classOf = (category: string): string => {
    const plain = plainClassName(category);
    const own = made.classOf.get(plain) ?? '';
    return values.has(own) ? own : plain;
  };
  const lacking = [...new Set(categories.map(({ name }) => name))].filter((name) => !values.has(classOf(name)));
  if (lacking.length > 0)
    throw new PartloopError('input-invalid', `--taxonomy ${edited} has no class for ${listed(lacking)}`, {
      hint: 'Keep the names of the classes that `audit` wrote; their rules and mirror pairs may change.',
    });
  const named = taxonomy.classes.filter(({ mirror }) => mirror === null).map(({ name }) => name);
  const single = new Set(made.unpaired.map(classOf));
  return {
    taxonomy,
    made,
    rules: { map: new Map(categories.map(({ name }) => [name, classOf(name)])), leaveOut: new Set() },
    mayFlip: !named.some((name) => single.has(name)),
    labelOf: new Map(categories.map(({ id, name }) => [id, values.get(classOf(name)) ?? 0])),
  };
}

/** What was made of the categories, for people. */
export function tellClasses({ taxonomy, made, mayFlip }: AuditClasses, edited: string | undefined): void {
  const { renamed, merged, pairs, unpaired } = made;
  say(`${counted(taxonomy.classes.length, 'class', 'classes')}${edited === undefined ? '' : ` of ${edited}`}`);
  if (edited !== undefined) return;
  sayNames(renamed, 'These categories get other names, since a class name has only a–z, 0–9 and _:');
  sayNames(merged, 'These categories become one class with another, since only case, blanks or dashes differ:');
  if (pairs.length > 0)
    say(`mirror pairs, by their names: ${listed(pairs.map(({ left, right }) => `${left} ↔ ${right}`))}`);
  if (!mayFlip)
    say(
      `no partner was found for ${listed(unpaired)}: pictures are not mirrored in training, which would call the left one right`,
    );
}

function sayNames(names: readonly { category: string; class: string }[], title: string): void {
  if (names.length === 0) return;
  say(title);
  say(...names.map(({ category, class: own }) => `  ${shortened(category)} → ${own}`));
}

const LONGEST_SHOWN = 60;
const shortened = (name: string): string =>
  name.length > LONGEST_SHOWN ? `${name.slice(0, LONGEST_SHOWN)}…` : name || '(empty)';

const listed = (names: readonly string[]): string =>
  `${names.slice(0, NAMES_SHOWN).map(shortened).join(', ')}${names.length > NAMES_SHOWN ? `, and ${names.length - NAMES_SHOWN} more` : ''}`;

/** Write the taxonomy for people to edit; one that is there and differs stays as it is. */
export async function writeTaxonomy(path: string, taxonomy: Taxonomy): Promise<void> {
  const text = `${JSON.stringify(taxonomy, null, 2)}\n`;
  const there = await readFile(path, 'utf8').catch(() => null);
  if (there === null) await writeFile(path, text);
  if (there === null || there === text) say(`taxonomy: ${path}; edit it and give it with --taxonomy`);
  else say(`${path} was edited and stays as it is; give it with --taxonomy`);
}
