import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { PartloopError } from '../../domain/base/errors.js';
import type { RegisteredModel } from '../../domain/decide/decision.js';
import { shortDigest } from '../../domain/decide/modelName.js';
import { ownConfig } from '../../domain/loop/state.js';
import { readLoopState } from '../../storage/loopState.js';
import type { KnownModel, TaxonomyModels } from '../../storage/models/knownModels.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { ProductionChange } from '../../storage/registry.js';
import { noteApproval } from '../../tracking/noteApproval.js';
import { textUpTo } from '../options.js';
import { printJson, say } from '../terminal/output.js';
import { nameIn, taxonomyText } from './modelRow.js';

const MAX_NAME = 200;
const MAX_WHY = 1_000;

/** The options by which a person answers for a change of the model in production. */
export const signedBy = (command: Command): Command =>
  command
    .option('--by <name>', 'Who decides it', textUpTo(MAX_NAME), userInfo().username.slice(0, MAX_NAME))
    .requiredOption('--why <text>', 'The reason, for the history', textUpTo(MAX_WHY))
    .option('--json', 'Print one JSON object on stdout');

export interface SignedOptions {
  by: string;
  why: string;
  json?: true;
}

/** @throws PartloopError `input-invalid` if a name or a reason has no letters */
export function signatureOf({ by, why }: SignedOptions): { by: string; why: string } {
  const signed = { by: by.trim(), why: why.trim() };
  for (const [option, text] of Object.entries(signed))
    if (text === '')
      throw new PartloopError('input-invalid', `--${option} is empty`, {
        hint: 'The history keeps who changed the model in production, and why.',
      });
  return signed;
}

/** @throws PartloopError `not-found` if the model's file or card is gone, `model-invalid` if the card is of another */
export async function assertUsable(store: ObjectStore, { name, model, card }: KnownModel): Promise<void> {
  const gone = (await store.head(model.scan)) === null ? model.scan : card === null ? model.card : null;
  if (gone !== null)
    throw new PartloopError('not-found', `model \`${name}\` cannot go into production: ${gone} is gone`, {
      hint: 'Its loop, or images that it was trained on, were deleted; `partloop model list` shows the others.',
    });
  if (card?.files.scan !== model.digest)
    throw new PartloopError(
      'model-invalid',
      `model \`${name}\` cannot go into production: ${model.card} names another file`,
      {
        hint: 'The card was overwritten; `partloop model list` shows the other models.',
      },
    );
}

/** Tell what a change did: MLflow where the model's loop notes its iterations there, and the person. */
export async function tellChange(
  store: ObjectStore,
  taxonomy: TaxonomyModels,
  change: ProductionChange,
  { json, undo }: { json: boolean; undo: (before: string, now: string) => string },
): Promise<void> {
  const { registry, before, changed } = change;
  const entry = registry.history.at(-1);
  if (entry === undefined) throw new PartloopError('internal', 'the registry has no model after a change');
  const untold = changed ? await noteProduction(store, entry.model, registry) : null;
  const nameOf = (model: RegisteredModel): string => nameIn(taxonomy, { model });
  const [now, then] = [nameOf(entry.model), before === null ? null : nameOf(before)];
  if (json)
    return printJson({
      ...{ taxonomy: { name: taxonomy.name, digest: taxonomy.digest }, pools: taxonomy.pools, changed },
      ...{ inProduction: now, before: then, ...entry, untold },
    });
  if (untold !== null) say(`The alias in MLflow is not moved: ${untold}`);
  say(
    `${now} (${shortDigest(entry.model.digest)}) is in production${changed ? '' : ' already'}: ${entry.reason}`,
    `for ${taxonomyText(taxonomy)}`,
  );
  if (!changed) return;
  say(
    then === null ? 'No model was in production before.' : `Before it was ${then}. ${undo(then, now)}`,
    'Loops compare their next candidate with it.',
  );
}

/** Why MLflow was not told; null if it was, or if the model's loop does not track. */
async function noteProduction(
  store: ObjectStore,
  model: RegisteredModel,
  registry: ProductionChange['registry'],
): Promise<string | null> {
  const config = ownConfig(await readLoopState(store, model.loop));
  return config === null ? null : noteApproval(store, config, registry);
}
