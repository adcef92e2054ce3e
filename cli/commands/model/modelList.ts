import { type Command, InvalidArgumentError } from 'commander';
import { shortDigest } from '../../../domain/decide/modelName.js';
import { builtInTaxonomy } from '../../../domain/taxonomies/index.js';
import { taxonomiesNamed } from '../../../storage/models/findModel.js';
import { type KnownModel, readCatalogue, type TaxonomyModels } from '../../../storage/models/knownModels.js';
import { openEnvironmentStore } from '../../environment.js';
import { minuteOf, modelJson, nameIn, places, taxonomyText } from '../../model/modelRow.js';
import { name } from '../../options.js';
import { printJson, printTable, say } from '../../terminal/output.js';

/** `partloop model list`. */
export function registerList(model: Command): void {
  model
    .command('list')
    .description('List the model in production, its history, and the candidates of loops, by taxonomy')
    .option('--pool <pool>', "Only those of this pool's taxonomy", name)
    .option(
      '--taxonomy <taxonomy>',
      'Only those of the taxonomy of this name, or of at least 8 digits of its digest',
      taxonomyName,
    )
    .option('--json', 'Print one JSON object on stdout')
    .action(async ({ json, ...asked }: { pool?: string; taxonomy?: string; json?: true }) => {
      const { store } = await openEnvironmentStore();
      const catalogue = await readCatalogue(store);
      const taxonomies = taxonomiesNamed(catalogue, asked);
      const { unreadable } = catalogue;
      if (json) return printJson({ taxonomies: taxonomies.map(taxonomyJson), unreadable });
      if (taxonomies.every(({ models }) => models.length === 0))
        say('There is no model yet. `partloop loop start` trains one.');
      for (const taxonomy of taxonomies) print(taxonomy);
      say(...unreadable.map(({ of, why }) => `${of} cannot be read: ${why}`));
    });
}

function taxonomyName(text: string): string {
  if (builtInTaxonomy(text) !== undefined || /^[^\s/]{1,100}$/.test(text)) return text;
  throw new InvalidArgumentError('give the name of a taxonomy, or at least 8 digits (0–9, a–f) of its digest.');
}

function taxonomyJson(taxonomy: TaxonomyModels) {
  const { digest, name: called, pools, registry, models } = taxonomy;
  return {
    taxonomy: { name: called, digest },
    pools,
    inProduction: models.find(({ isInProduction }) => isInProduction)?.name ?? null,
    history: registry.history.map((entry) => ({ name: nameIn(taxonomy, entry), ...entry })),
    looks: looksOf(taxonomy),
    models: models.map(modelJson),
  };
}

/** The looks at each test set so far, in the order of the first ones. */
function looksOf({ registry }: TaxonomyModels): { testVersion: string; used: number }[] {
  const used = new Map<string, number>();
  for (const { testVersion } of registry.looks) used.set(testVersion, (used.get(testVersion) ?? 0) + 1);
  return [...used].map(([testVersion, count]) => ({ testVersion, used: count }));
}

function print(taxonomy: TaxonomyModels): void {
  const { models, registry } = taxonomy;
  if (models.length === 0) return;
  const last = registry.history.at(-1);
  say(taxonomyText(taxonomy));
  say(
    last === undefined
      ? '  no model is in production'
      : `  in production: ${nameIn(taxonomy, last)} since ${minuteOf(last.at)} (${last.reason})`,
    ...looksOf(taxonomy).map(({ testVersion, used }) => `  looks at test set ${shortDigest(testVersion)}: ${used}`),
  );
  printTable(models.map(row));
}

function row(known: KnownModel): Record<string, string | number | null> {
  const { miou, valMiou, gate, trainedAt, wasInProduction, testVersion } = modelJson(known);
  return {
    model: known.name,
    digest: shortDigest(known.model.digest),
    production: known.isInProduction ? 'now' : wasInProduction ? 'earlier' : '',
    mIoU: places(miou),
    'val mIoU': places(valMiou),
    gate: gate ?? '–',
    'test set': testVersion === null ? '–' : shortDigest(testVersion),
    trained: trainedAt === null ? '–' : minuteOf(trainedAt),
  };
}
