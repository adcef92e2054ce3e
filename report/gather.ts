import { z } from 'zod';
import { controlComparisonSchema } from '../domain/control/comparison.js';
import { decisionSchema } from '../domain/decide/decision.js';
import { onCommonImages } from '../domain/decide/gate.js';
import type { DrawResult } from '../domain/draw/step.js';
import { calibrationOf } from '../domain/evaluate/summary.js';
import { type AuditAnswer, estimateRecall } from '../domain/review/auditAnswers.js';
import { precisionByKind, reliabilityOf, type Verdict } from '../domain/review/review.js';
import { sampleComparisonSchema } from '../domain/sample/compare.js';
import { countsOf, countsText, notJudged } from '../domain/scan/counts.js';
import type { ScanResult } from '../domain/scan/step.js';
import { neededBy, outputOf } from '../domain/stepContract.js';
import type { IterationContext } from '../domain/steps.js';
import {
  type ChunkRow,
  chunkRowSchema,
  type FindingRow,
  findingRowSchema,
  type SampleRow,
  sampleRowSchema,
  scanImageRowSchema,
} from '../domain/tables.js';
import { type Tags, tagsSchema } from '../domain/tags.js';
import type { Taxonomy } from '../domain/taxonomy.js';
import { tuningSchema } from '../domain/tune/proposal.js';
import { evaluationRows } from '../inference/evaluation/evaluationRows.js';
import type { ActivityDeps } from '../steps/deps.js';
import type { Heartbeat } from '../steps/heartbeat.js';
import { poolOf } from '../steps/pool.js';
import { traceIdOf } from '../steps/trace.js';
import { certifyPool } from '../storage/certificate.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { readReviews, reviewListSchema } from '../storage/reviews.js';
import { readJson } from '../storage/tables/json.js';
import { readTable, streamTable } from '../storage/tables/table.js';
import { confusedPairs } from './confusions.js';
import type { ReportData } from './data.js';
import { drawPictures, type ToDraw } from './drawPictures.js';
import { stepCosts, toPoint } from './iterationPoints.js';
import type { IterationSoFar } from './iterationSoFar.js';
import { changesOf, lastRows } from './lastIteration.js';
import { leftOutOfIteration } from './leftOutOfIteration.js';
import {
  countClasses,
  countKinds,
  countReasons,
  mostSuspect,
  neediest,
  type ToldFinding,
  toldFindingSchema,
} from './selection.js';
import { classTable, sliceTable, suspicionByTag, worstImages } from './tables.js';
import { readTrainingTags } from './trainingTags.js';

const WORST_IMAGES = 15;
const CONFUSIONS = 20;

/** What is told of the scanned images, and of the drawn ones. */
const toldImageSchema = scanImageRowSchema.pick({
  ...{ imageId: true, fileName: true, pMislabelled: true, quarantined: true, findings: true, kinds: true },
  ...{ auditChance: true, error: true },
});
type ToldImage = z.infer<typeof toldImageSchema>;
const taggedRowSchema = chunkRowSchema.pick({ imageId: true }).extend(tagsSchema.shape);

const scanSummarySchema = z.looseObject({
  warnings: z.array(z.string()).default([]),
  quarantineAt: z.number().nullish(),
});

/** All data of an iteration's report; `history` ends with the iteration itself. */
export async function gatherReport(
  deps: ActivityDeps,
  context: IterationContext,
  history: readonly IterationSoFar[],
  beat: Heartbeat,
): Promise<ReportData> {
  const { store } = deps;
  const results = history.at(-1)?.results ?? {};
  const needed = ['draw', 'scan', 'sample', 'train', 'evaluate', 'decide'] as const;
  const { draw, scan, sample, evaluate, decide } = neededBy('report', results, needed);
  const { tune, control } = results;
  const pool = await poolOf(deps, context.config.pool);
  const { taxonomy } = pool;
  const decision = await readJson(store, outputOf(decide, 'decision'), decisionSchema);
  const rows = await evaluationRows(store, outputOf(evaluate, 'images'), context);
  const { benchmarkImages } = decide.outputs;
  // Images on which only one of the two was judged tell nothing about their difference.
  const common =
    benchmarkImages === undefined ? null : onCommonImages(rows, await evaluationRows(store, benchmarkImages, context));
  const candidate = common?.candidate ?? rows;
  const benchmark = common?.benchmark ?? null;
  const images = await readTable(store, outputOf(scan, 'images'), toldImageSchema);
  const findings = await readTable(store, outputOf(scan, 'findings'), toldFindingSchema);
  const tags = new Map<string, Tags>();
  for await (const { imageId, ...row } of streamTable(store, outputOf(draw, 'chunk'), taggedRowSchema))
    tags.set(imageId, row);
  const picks = await readTable(store, outputOf(sample, 'sample'), sampleRowSchema);
  const { warnings, quarantineAt } = await summaryOf(deps, context, scan);
  const pictures = await drawPictures(deps, await shownOf(store, { draw, scan, taxonomy, picks, findings }), beat);
  const training = await readTrainingTags(
    store,
    context.previous?.sample.outputs.trainingSet,
    outputOf(sample, 'trainingSet'),
  );
  const returned = picks.filter(({ imageId }) => !tags.has(imageId)).length;
  const changes = await changesOf(deps, history, { decision, training, returned });
  return {
    loop: context.loop,
    iteration: context.iteration,
    madeAt: new Date().toISOString().slice(0, 16).replace('T', ' '),
    trace: traceIdOf(store.uri, context),
    config: context.config,
    board: deps.board ?? null,
    curve: history.map(toPoint),
    changes,
    decision,
    control:
      control === undefined ? null : await readJson(store, outputOf(control, 'comparison'), controlComparisonSchema),
    classes: classTable(candidate, benchmark, taxonomy),
    calibration: calibrationOf(rows)?.overall() ?? null,
    confusions: confusedPairs(candidate, benchmark, taxonomy, CONFUSIONS),
    slices: sliceTable(candidate, benchmark, await lastRows(deps, context), decision.slices),
    worst: worstImages(rows, taxonomy, WORST_IMAGES),
    leftOut: await leftOutOfIteration(store, results, images, decision),
    detection: {
      ...detectionOf({ draw, scan, images, findings, taxonomy, tags, quarantineAt }),
      ...(await answersTo(deps, context, scan)),
      certificate: (await certifyPool(store, pool, scansOf(context.loop, history))).certificate,
    },
    sample: {
      comparison: await readJson(store, outputOf(sample, 'comparison'), sampleComparisonSchema),
      interior: sample.facts.interior ?? 0,
      reasons: countReasons(picks),
      picks: pictures.picks,
    },
    training,
    findings: pictures.findings,
    tuning: tune === undefined ? null : await readJson(store, outputOf(tune, 'tuning'), tuningSchema),
    costs: stepCosts(results, history.at(-2)?.results ?? null),
    warnings,
  };
}

/** Whole rows of what the report shows as pictures: the rest of a large chunk is read without most of its columns. */
async function shownOf(
  store: ObjectStore,
  { draw, scan, taxonomy, picks: all, findings }: Pick<Scanned, 'draw' | 'scan' | 'taxonomy' | 'findings'> & Picked,
): Promise<ToDraw> {
  const picks = neediest(all);
  const suspect = mostSuspect(findings);
  const whole = new Map<string, FindingRow>();
  const wanted = { column: 'findingId', values: new Set(suspect.map(({ findingId }) => findingId)) };
  for await (const row of streamTable(store, outputOf(scan, 'findings'), findingRowSchema, wanted))
    whole.set(`${row.findingId} ${row.imageId}`, row);
  const rows = new Map<string, ChunkRow>();
  const images = { column: 'imageId', values: new Set([...picks, ...suspect].map(({ imageId }) => imageId)) };
  for await (const row of streamTable(store, outputOf(draw, 'chunk'), chunkRowSchema, images))
    rows.set(row.imageId, row);
  return {
    ...{ rows, taxonomy, picks },
    findings: suspect.flatMap(({ findingId, imageId }) => whole.get(`${findingId} ${imageId}`) ?? []),
  };
}

/** The scans of a loop so far, the newest first. */
const scansOf = (loop: string, history: readonly IterationSoFar[]): { id: string; images: string }[] =>
  history
    .flatMap(({ iteration, results: { scan } }) =>
      scan?.outputs.images === undefined ? [] : [{ id: `${loop}:${iteration}`, images: scan.outputs.images }],
    )
    .reverse();

/** The scan's own summary; older scans have none. */
async function summaryOf({ store }: ActivityDeps, { config }: IterationContext, { outputs }: ScanResult) {
  const usual = config.scan.quarantineAt;
  if (outputs.summary === undefined) return { warnings: [], quarantineAt: usual };
  const { warnings, quarantineAt = usual } = await readJson(store, outputs.summary, scanSummarySchema);
  return { warnings, quarantineAt };
}

type Answers = Pick<ReportData['detection'], 'answers' | 'reliability' | 'recall'>;

/** Answers of reviewers to the scan's findings, as far as the scan knew them. */
async function answersTo(
  { store }: ActivityDeps,
  { config }: IterationContext,
  { outputs }: ScanResult,
): Promise<Answers> {
  const reviews: { verdicts: Verdict[]; audits: AuditAnswer[] } =
    outputs.reviews === undefined
      ? { verdicts: [], audits: [] }
      : await readReviews(store, config.pool, await readJson(store, outputs.reviews, reviewListSchema));
  return {
    answers: precisionByKind(reviews.verdicts),
    reliability: reliabilityOf(reviews.verdicts),
    recall: estimateRecall(reviews.audits),
  };
}

interface Picked {
  picks: readonly SampleRow[];
}

interface Scanned {
  draw: DrawResult;
  scan: ScanResult;
  images: readonly ToldImage[];
  findings: readonly ToldFinding[];
  taxonomy: Taxonomy;
  /** By image id. */
  tags: ReadonlyMap<string, Tags>;
  quarantineAt: number | null;
}

function detectionOf(scanned: Scanned): Omit<ReportData['detection'], keyof Answers | 'certificate'> {
  const { draw, scan, images, findings, taxonomy, tags, quarantineAt } = scanned;
  const threshold = quarantineAt ?? Number.POSITIVE_INFINITY;
  const judged = images.filter((row) => notJudged(row) === null);
  const quarantined = images.filter((row) => row.quarantined);
  const counts = countsOf(scan.facts);
  return {
    model: scan.facts.model ?? 'a model',
    scanned: judged.length,
    withFindings: images.filter((row) => row.findings > 0).length,
    overThreshold: judged.filter((row) => row.pMislabelled >= threshold).length,
    quarantined: quarantined.length,
    unreadable: images.filter((row) => notJudged(row) === 'unreadable').length,
    counts: counts === null ? null : countsText(counts),
    estimatedWrong: scan.facts.prevalence ?? null,
    kinds: countKinds(findings, new Set(quarantined.map((row) => row.imageId))),
    classes: countClasses(findings, taxonomy),
    missing: draw.facts.missing ?? 0,
    corrected: draw.facts.corrected ?? 0,
    asked: scan.facts.asked ?? 0,
    correctable: scan.facts.correctable ?? 0,
    slices: suspicionByTag(images, tags, threshold),
    quarantineAt,
    audit: images.filter((row) => row.auditChance !== null).length,
  };
}
