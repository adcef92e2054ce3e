import { PartloopError } from '../../domain/base/errors.js';
import { isNamed, modelReference, shortDigest } from '../../domain/decide/modelName.js';
import type { ObjectStore } from '../objects/objectStore.js';
import { type Catalogue, type KnownModel, readCatalogue, type TaxonomyModels } from './knownModels.js';

const NAMES_SHOWN = 8;

/** A model with the taxonomy that it was trained for. */
export interface FoundModel {
  taxonomy: TaxonomyModels;
  known: KnownModel;
}

/**
 * The one model that a person names.
 *
 * @throws PartloopError `input-invalid` for a text that names none, `not-found` listing what there is, `refused` if
 * several begin with the same digits
 */
export async function findModel(store: ObjectStore, text: string): Promise<FoundModel> {
  const reference = modelReference(text);
  if (reference === null) throw noReference(text);
  const catalogue = await readCatalogue(store, reference.kind === 'trained' ? reference.loop : undefined);
  const found = allOf(catalogue).filter(({ known }) => isNamed(known, reference));
  const [only] = found;
  if (only === undefined) throw notFound(text, catalogue);
  if (found.length === 1) return only;
  const names = found.map(({ known }) => `${known.name} (${shortDigest(known.model.digest)})`).join(', ');
  throw new PartloopError('refused', `\`${text}\` names ${found.length} models: ${names}`, {
    hint: 'Give more digits, or LOOP:N.',
  });
}

/** @throws PartloopError `not-found` listing the taxonomies, by a pool, a name or the first digits of a digest */
export function taxonomiesNamed(catalogue: Catalogue, asked: { pool?: string; taxonomy?: string }): TaxonomyModels[] {
  const { pool, taxonomy } = asked;
  const { taxonomies } = catalogue;
  const found = taxonomies.filter(
    ({ pools, name, digest }) =>
      (pool === undefined || pools.includes(pool)) &&
      (taxonomy === undefined || name === taxonomy || (/^[0-9a-f]{8,}$/.test(taxonomy) && digest.startsWith(taxonomy))),
  );
  if (found.length > 0 || (pool === undefined && taxonomy === undefined)) return found;
  const what = taxonomy === undefined ? `pool \`${pool}\`` : `taxonomy \`${taxonomy}\``;
  const known =
    taxonomy === undefined
      ? taxonomies.flatMap(({ pools }) => pools)
      : taxonomies.map(({ name, digest }) => name ?? shortDigest(digest));
  throw new PartloopError(
    'not-found',
    `there is no ${what}${known.length === 0 ? '' : `; there is ${known.join(', ')}`}`,
    {
      hint: '`partloop model list` shows all taxonomies with their pools.',
    },
  );
}

const allOf = ({ taxonomies }: Catalogue): FoundModel[] =>
  taxonomies.flatMap((taxonomy) => taxonomy.models.map((known) => ({ taxonomy, known })));

const noReference = (text: string): PartloopError =>
  new PartloopError('input-invalid', `\`${text}\` does not name a model`, {
    hint: 'Give LOOP:N, LOOP:baseline, or at least 8 digits of a digest; `partloop model list` shows them.',
  });

function notFound(text: string, catalogue: Catalogue): PartloopError {
  const names = allOf(catalogue).map(({ known }) => known.name);
  const listed = names.slice(0, NAMES_SHOWN).join(', ');
  const there = names.length === 0 ? '' : `; there is ${listed}${names.length > NAMES_SHOWN ? ', …' : ''}`;
  const [damaged] = catalogue.unreadable;
  const hint =
    damaged === undefined
      ? '`partloop model list` shows all models; an iteration is recorded at its end.'
      : `${damaged.of} cannot be read (${damaged.why}): it may be among its models.`;
  return new PartloopError('not-found', `there is no model \`${text}\`${there}`, { hint });
}
