import type { Command } from 'commander';
import { counted } from '../../../domain/base/counted.js';
import { type Decision, decisionSchema } from '../../../domain/decide/decision.js';
import { shortDigest } from '../../../domain/decide/modelName.js';
import { productionStack } from '../../../domain/decide/production.js';
import { type Wear, wearOf, wearText } from '../../../domain/decide/spending.js';
import { outputOf } from '../../../domain/stepContract.js';
import { evaluationsOfModel, type ModelEvaluation } from '../../../storage/models/evaluationsOfModel.js';
import { type FoundModel, findModel } from '../../../storage/models/findModel.js';
import type { TaxonomyModels } from '../../../storage/models/knownModels.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { readJson } from '../../../storage/tables/json.js';
import { openEnvironmentStore } from '../../environment.js';
import { minuteOf, modelArgument, modelJson, nameIn, places, taxonomyText } from '../../model/modelRow.js';
import { printJson, printTable, say } from '../../terminal/output.js';

/** What is known of a model beside its row. */
interface Shown {
  found: FoundModel;
  /** Whether its file is in the store. */
  isThere: boolean;
  decision: Decision | null;
  evaluations: ModelEvaluation[];
  /** Looks at the test set on which it was measured; null if its loop did not measure it. */
  wear: (Wear & { testVersion: string }) | null;
}

/** `partloop model show`. */
export function registerShow(model: Command): void {
  model
    .command('show')
    .description('A model: training, evaluations, the decision on it, when it was in production, who put it there')
    .argument('<model>', 'LOOP:N, LOOP:N@ATTEMPT, LOOP:baseline, or at least 8 digits of a digest', modelArgument)
    .option('--json', 'Print one JSON object on stdout')
    .action(async (text: string, { json }: { json?: true }) => {
      const { store } = await openEnvironmentStore();
      const shown = await gather(store, await findModel(store, text));
      if (json) printJson(asJson(shown));
      else print(shown);
    });
}

async function gather(store: ObjectStore, found: FoundModel): Promise<Shown> {
  const { known, taxonomy } = found;
  const { decide, evaluate } = known.attempt?.results ?? {};
  const testVersion = evaluate?.facts.testVersion ?? null;
  const used = taxonomy.registry.looks.filter((look) => look.testVersion === testVersion).length;
  const planned = known.attempt?.config.gate.plannedLooks;
  return {
    found,
    isThere: (await store.head(known.model.scan)) !== null,
    decision: decide === undefined ? null : await readJson(store, outputOf(decide, 'decision'), decisionSchema),
    evaluations: await evaluationsOfModel(store, known.model.digest),
    wear: testVersion === null || planned === undefined ? null : { testVersion, ...wearOf(used, planned) },
  };
}

function asJson({ found: { known, taxonomy }, isThere, decision, evaluations, wear }: Shown) {
  return {
    ...modelJson(known),
    taxonomy: { name: taxonomy.name, digest: taxonomy.digest },
    pools: taxonomy.pools,
    ...{ isThere, attempts: known.attempts, card: known.card, production: known.production },
    ...{ decision, evaluations, looks: wear },
  };
}

function print({ found: { known, taxonomy }, isThere, decision, evaluations, wear }: Shown): void {
  const { card, attempt, model, production } = known;
  say(
    `model ${known.name}, ${model.digest}`,
    taxonomyText(taxonomy),
    ...(isThere ? [] : [`its file ${model.scan} is gone: it can neither judge nor go into production`]),
    ...(attempt === null ? [] : [`trained for pool ${attempt.config.pool}, recorded ${minuteOf(attempt.recordedAt)}`]),
    card === null
      ? 'its card is gone'
      : `${card.preset} at ${card.imageSize} pixels, ${counted(card.iterations, 'iteration', 'iterations')}, mIoU on validation images ${places(card.valMiou)}`,
    `files: ${model.scan}, ${model.card}`,
  );
  say(production.length === 0 ? 'never in production' : 'in production:');
  for (const { at, reason } of production) say(`  ${minuteOf(at)}  ${reason}`);
  if (known.isInProduction) say(wayText(taxonomy));
  if (decision === null) say('no decision was made on it');
  else say(`decision: ${decision.gate}`, ...decision.reasons.map((reason) => `  ${reason}`));
  if (wear !== null && wear.used > 0) say(wearText(wear));
  if (evaluations.length === 0) say('no evaluation of it is kept; `partloop model eval` makes one');
  printTable(
    evaluations.map(({ testVersion, size, summary }) => ({
      images: shortDigest(testVersion),
      count: summary.images,
      grid: size,
      mIoU: places(summary.miou),
      major: places(summary.majorMiou),
      minor: places(summary.minorMiou),
      boundary: places(summary.boundaryIou),
    })),
  );
}

/** Where a rollback would lead. */
function wayText(taxonomy: TaxonomyModels): string {
  const way = productionStack(taxonomy.registry.history).map((entry) => nameIn(taxonomy, entry));
  const before = way.at(-2);
  return before === undefined ? 'a rollback leads nowhere: it was the first' : `a rollback leads to ${before}`;
}
