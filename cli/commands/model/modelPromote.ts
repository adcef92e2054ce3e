import type { Command } from 'commander';
import { PartloopError } from '../../../domain/base/errors.js';
import { findModel } from '../../../storage/models/findModel.js';
import { promoteModel } from '../../../storage/registry.js';
import { openEnvironmentStore } from '../../environment.js';
import { assertUsable, type SignedOptions, signatureOf, signedBy, tellChange } from '../../model/changed.js';
import { modelArgument, taxonomyText } from '../../model/modelRow.js';
import { name } from '../../options.js';

interface Options extends SignedOptions {
  pool?: string;
}

/** `partloop model promote`. */
export function registerPromote(model: Command): void {
  const command = model
    .command('promote')
    .description('Put a model into production, whatever the gate said of it; the history keeps who and why')
    .argument('<model>', 'LOOP:N, LOOP:N@ATTEMPT, LOOP:baseline, or at least 8 digits of a digest', modelArgument)
    .option('--pool <pool>', 'Refuse a model of another taxonomy than that of this pool', name);
  signedBy(command).action(async (text: string, options: Options) => {
    const signed = signatureOf(options);
    const { store } = await openEnvironmentStore();
    const { taxonomy, known } = await findModel(store, text);
    if (options.pool !== undefined && !taxonomy.pools.includes(options.pool))
      throw new PartloopError(
        'refused',
        `model \`${known.name}\` is of ${taxonomyText(taxonomy)}, which is not that of pool \`${options.pool}\``,
        { hint: `\`partloop model list --pool ${options.pool}\` shows the models for that pool.` },
      );
    await assertUsable(store, known);
    const change = await promoteModel(store, taxonomy.digest, known.model, signed);
    const [pool = '…'] = taxonomy.pools;
    const undo = () => `\`partloop model rollback ${pool} --why …\` puts it back.`;
    await tellChange(store, taxonomy, change, { json: options.json === true, undo });
  });
}
