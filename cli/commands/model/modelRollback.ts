import type { Command } from 'commander';
import { PartloopError } from '../../../domain/base/errors.js';
import { sameModel } from '../../../domain/decide/decision.js';
import { isNamed, modelReference } from '../../../domain/decide/modelName.js';
import { productionStack } from '../../../domain/decide/production.js';
import { taxonomiesNamed } from '../../../storage/models/findModel.js';
import { type KnownModel, readCatalogue, type TaxonomyModels } from '../../../storage/models/knownModels.js';
import { rollBackModel } from '../../../storage/registry.js';
import { openEnvironmentStore } from '../../environment.js';
import { assertUsable, type SignedOptions, signatureOf, signedBy, tellChange } from '../../model/changed.js';
import { modelArgument } from '../../model/modelRow.js';
import { name } from '../../options.js';

interface Options extends SignedOptions {
  to?: string;
}

/** `partloop model rollback`. */
export function registerRollback(model: Command): void {
  const command = model
    .command('rollback')
    .description('Take the model of a pool out of production again: the one before it comes back')
    .argument('<pool>', 'A pool; all pools of its taxonomy share the model in production', name)
    .option('--to <model>', 'Go back further, to this model that led to the present one', modelArgument);
  signedBy(command).action(async (pool: string, options: Options) => {
    const signed = signatureOf(options);
    const { store } = await openEnvironmentStore();
    const [taxonomy] = taxonomiesNamed(await readCatalogue(store), { pool });
    if (taxonomy === undefined) throw new PartloopError('internal', `pool \`${pool}\` has no taxonomy`);
    const from = taxonomy.models.find(({ isInProduction }) => isInProduction);
    if (from === undefined)
      throw new PartloopError('refused', `no model is in production for pool \`${pool}\``, {
        hint: `\`partloop model list --pool ${pool}\` shows its models; \`partloop model promote\` puts one there.`,
      });
    const to = targetOf(taxonomy, options.to);
    if (to !== null) await assertUsable(store, to);
    // The target is settled here: if it changed meanwhile, nothing is rolled back.
    const way = { from: from.model, to: to?.model ?? null };
    const change = await rollBackModel(store, taxonomy.digest, way, signed);
    const undo = (before: string) => `\`partloop model promote ${before} --why …\` puts it back.`;
    await tellChange(store, taxonomy, change, { json: options.json === true, undo });
  });
}

/** The model to go back to; null if there is none before the present one. */
function targetOf({ models, registry }: TaxonomyModels, asked: string | undefined): KnownModel | null {
  const earlier = productionStack(registry.history).slice(0, -1);
  const known = earlier.flatMap(({ model }) => models.find((one) => sameModel(one.model, model)) ?? []);
  if (asked === undefined) return known.at(-1) ?? null;
  const reference = modelReference(asked);
  const found = known.findLast((one) => reference !== null && !one.isInProduction && isNamed(one, reference));
  if (found !== undefined) return found;
  const names = known.map((one) => one.name).join(', ');
  throw new PartloopError('refused', `production did not come from \`${asked}\`; it came from ${names || 'no model'}`, {
    hint: '`partloop model promote` puts any model into production.',
  });
}
