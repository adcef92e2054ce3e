import { PartloopError } from '../../domain/base/errors.js';
import { parseText } from '../../domain/base/jsonText.js';
import { DEFAULT_RULES, type IngestRules, ingestRulesSchema } from '../../domain/ingest/rules.js';
import { parseRequest } from '../../domain/settings/parse.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { writeJson } from '../../storage/tables/json.js';

/** @throws PartloopError `config-invalid` naming the field, since drops must not be taken by half of their rules */
export async function readIngestRules(store: ObjectStore, pool: string): Promise<IngestRules> {
  const key = keys.ingestRules(pool);
  const found = await store.tryGet(key);
  if (found === null) return DEFAULT_RULES;
  try {
    return parseRequest(ingestRulesSchema, parseText(new TextDecoder().decode(found.body), key), key);
  } catch (cause) {
    if (!(cause instanceof PartloopError)) throw cause;
    throw new PartloopError('config-invalid', cause.message, {
      cause,
      hint: `Correct them with \`partloop ingest rules ${pool} FILE\`.`,
    });
  }
}

/** @throws PartloopError `input-invalid` naming the field */
export async function writeIngestRules(store: ObjectStore, pool: string, given: unknown): Promise<IngestRules> {
  const rules = parseRequest(ingestRulesSchema, given, 'the rules');
  await writeJson(store, keys.ingestRules(pool), rules);
  return rules;
}
