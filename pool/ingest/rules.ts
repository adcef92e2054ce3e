import { PartloopError } from '../../domain/base/errors.js';
import { parseText } from '../../domain/base/jsonText.js';
import { DEFAULT_RULES, type IngestRules, ingestRulesSchema } from '../../domain/ingest/rules.js';
import { parseRequest } from '../../domain/settings/parse.js';
import { plainClassName } from '../../domain/taxonomies/categoryNames.js';
import { labelNames, type Taxonomy } from '../../domain/taxonomy.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { Pool } from '../../storage/pool/pool.js';
import { writeJson } from '../../storage/tables/json.js';

/**
 * @throws PartloopError `config-invalid` naming the field or class, since drops must not be taken by half of their
 * rules
 */
export async function readIngestRules(store: ObjectStore, { name: pool, taxonomy }: OfPool): Promise<IngestRules> {
  const key = keys.ingestRules(pool);
  const found = await store.tryGet(key);
  if (found === null) return DEFAULT_RULES;
  try {
    const rules = parseRequest(ingestRulesSchema, parseText(new TextDecoder().decode(found.body), key), key);
    checkClasses(rules, taxonomy);
    return rules;
  } catch (cause) {
    if (!(cause instanceof PartloopError)) throw cause;
    throw new PartloopError('config-invalid', cause.message, {
      cause,
      hint: `Correct them with \`partloop ingest rules ${pool} FILE\`.`,
    });
  }
}

/** @throws PartloopError `input-invalid` naming the field, or the class that the pool does not have */
export async function writeIngestRules(
  store: ObjectStore,
  { name, taxonomy }: OfPool,
  given: unknown,
): Promise<IngestRules> {
  const rules = parseRequest(ingestRulesSchema, given, 'the rules');
  checkClasses(rules, taxonomy);
  await writeJson(store, keys.ingestRules(name), rules);
  return rules;
}

type OfPool = Pick<Pool, 'name' | 'taxonomy'>;

function checkClasses({ classMap }: IngestRules, taxonomy: Taxonomy): void {
  const known = new Set([...labelNames(taxonomy), 'ignored'].map(plainClassName));
  const unknown = Object.values(classMap).filter((name) => !known.has(plainClassName(name)));
  if (unknown.length > 0)
    throw new PartloopError('input-invalid', `classMap: taxonomy ${taxonomy.name} has no class ${unknown.join(', ')}`, {
      hint: `It has ${labelNames(taxonomy).slice(1).join(', ')}; \`background\` and \`ignored\` are allowed too.`,
    });
}
