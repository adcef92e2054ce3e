import { z } from 'zod';
import { estimateRecall } from '../domain/auditAnswers.js';
import { proposalSchema } from '../domain/correction.js';
import { decisionSchema } from '../domain/decision.js';
import { onCommonImages } from '../domain/evaluate/gate.js';
import { parseText } from '../domain/jsonText.js';
import { type ReportResult, reportStep } from '../domain/report/step.js';
import { precisionByKind, reliabilityOf } from '../domain/review.js';
import { sampleComparisonSchema } from '../domain/sample/compare.js';
import { countsOf, countsText, notJudged } from '../domain/scan/counts.js';
import { findingClass } from '../domain/scan/findingClass.js';
import { neededBy, outputOf } from '../domain/stepContract.js';
import { type IterationContext, STEPS, type StepResults } from '../domain/steps.js';
import {
  type ChunkRow,
  chunkRowSchema,
  type EvaluationRow,
  type FindingRow,
  findingRowSchema,
  type SampleRow,
  sampleRowSchema,
  scanImageRowSchema,
} from '../domain/tables.js';
import { labelNames, type Taxonomy } from '../domain/taxonomy.js';
import { tuningSchema } from '../domain/tune/proposal.js';
import { evaluationRows } from '../inference/evaluation/evaluationRows.js';
import type { IterationPoint, Picture, ReportData } from '../report/data.js';
import { leftOutOfIteration } from '../report/leftOutOfIteration.js';
import { type Overlay, overlayPicture, PICTURE_SIDE } from '../report/overlay.js';
import { renderReport } from '../report/page.js';
import { classTable, sliceTable, suspicionByTag, worstImages } from '../report/tables.js';
import type { ActivityDeps } from '../steps/deps.js';
import { throwIfCancelled, withHeartbeat } from '../steps/heartbeat.js';
import { poolOf } from '../steps/pool.js';
import { runStep } from '../steps/runStep.js';
import { readImage, readLabel } from '../storage/imageSource.js';
import { readJson } from '../storage/json.js';
import { decodeLabel } from '../storage/labelMask.js';
import { readLoopState } from '../storage/loopState.js';
import { readReviews } from '../storage/reviews.js';
import { readTable } from '../storage/table.js';
import { reviewListSchema } from './reviews.js';

const FINDING_PICTURES = 24;
const FINDINGS_A_KIND = 6;
const PICK_PICTURES = 10;
const WORST_IMAGES = 15;

const scanSummarySchema = z.looseObject({
  warnings: z.array(z.string()).default([]),
  quarantineAt: z.number().nullish(),
});

/** Step report: one HTML file a person can keep, mail and print. It opens no test image. */
export function createReportActivities(deps: ActivityDeps) {
  const { store, log } = deps;
  return {
    async report({ context, results }: { context: IterationContext; results: StepResults }): Promise<ReportResult> {
      const needed = ['draw', 'scan', 'sample', 'train', 'evaluate', 'decide'] as const;
      const { draw, scan, sample, evaluate, decide } = neededBy('report', results, needed);
      const { tune } = results;
      const state = await readLoopState(store, context.loop);
      const earlier = state.iterations
        .filter((entry) => entry.iteration < context.iteration && entry.current.status === 'finished')
        .map((entry) => ({ iteration: entry.iteration, results: entry.current.results }));
      const history = [...earlier, { iteration: context.iteration, results }];
      const inputs = {
        steps: history.map((entry) => [
          entry.iteration,
          ...STEPS.map((step) => (step === 'report' ? null : (entry.results[step]?.digest ?? null))),
        ]),
        config: context.config,
      };

      return withHeartbeat(({ report: beat, signal }) =>
        runStep(store, context, reportStep, inputs, async (attempt) => {
          const pool = await poolOf(deps, context.config.pool);
          const decision = await readJson(store, outputOf(decide, 'decision'), decisionSchema);
          const rows = await evaluationRows(store, outputOf(evaluate, 'images'), context);
          const benchmarkKey = decide.outputs.benchmarkImages;
          const benchmarkRows: EvaluationRow[] | null =
            benchmarkKey === undefined ? null : await evaluationRows(store, benchmarkKey, context);
          // What only one of the two could be judged on says nothing of their difference.
          const common = benchmarkRows === null ? null : onCommonImages(rows, benchmarkRows);
          const candidate = common?.candidate ?? rows;
          const benchmark = common?.benchmark ?? null;
          const images = await readTable(store, outputOf(scan, 'images'), scanImageRowSchema);
          const findings = await readTable(store, outputOf(scan, 'findings'), findingRowSchema);
          const chunk = await readTable(store, outputOf(draw, 'chunk'), chunkRowSchema);
          const picks = await readTable(store, outputOf(sample, 'sample'), sampleRowSchema);
          const reviewed = scan.outputs.reviews;
          const { verdicts, audits } =
            reviewed === undefined
              ? { verdicts: [], audits: [] }
              : await readReviews(store, context.config.pool, await readJson(store, reviewed, reviewListSchema));
          const summaryKey = scan.outputs.summary;
          const { warnings, quarantineAt = context.config.scan.quarantineAt } =
            summaryKey === undefined ? { warnings: [] } : await readJson(store, summaryKey, scanSummarySchema);
          const threshold = quarantineAt ?? Number.POSITIVE_INFINITY;
          const counts = countsOf(scan.facts);
          const byId = new Map(chunk.map((row) => [row.imageId, row]));
          const [shownPicks, shownFindings] = [neediest(picks), mostSuspect(findings)];
          const toDraw = shownPicks.length + shownFindings.length;
          let drawn = 0;
          const picture = async (
            row: ChunkRow | undefined,
            text: Omit<Picture, 'src' | 'width' | 'height' | 'fileName'>,
            overlay: Omit<Overlay, 'label'> | null,
          ): Promise<Picture> => {
            throwIfCancelled(signal);
            beat({ phase: 'drawing pictures', done: drawn++, total: toDraw, unit: 'pictures' });
            return drawPicture(row, text, overlay);
          };

          const data: ReportData = {
            loop: context.loop,
            iteration: context.iteration,
            madeAt: new Date().toISOString().slice(0, 16).replace('T', ' '),
            config: context.config,
            curve: history.map(toPoint),
            decision,
            classes: classTable(candidate, benchmark, pool.taxonomy),
            slices: sliceTable(candidate, benchmark),
            worst: worstImages(rows, pool.taxonomy, WORST_IMAGES),
            leftOut: await leftOutOfIteration(store, results, images, decision),
            detection: {
              model: scan.facts.model ?? 'a model',
              scanned: images.filter((row) => notJudged(row) === null).length,
              withFindings: images.filter((row) => row.findings > 0).length,
              overThreshold: images.filter((row) => notJudged(row) === null && row.pMislabelled >= threshold).length,
              quarantined: images.filter((row) => row.quarantined).length,
              unreadable: images.filter((row) => notJudged(row) === 'unreadable').length,
              counts: counts === null ? null : countsText(counts),
              estimatedWrong: scan.facts.prevalence ?? null,
              kinds: countKinds(findings, new Set(images.filter((row) => row.quarantined).map((row) => row.imageId))),
              classes: countClasses(findings, pool.taxonomy),
              missing: draw.facts.missing ?? 0,
              slices: suspicionByTag(images, byId, threshold),
              quarantineAt,
              answers: precisionByKind(verdicts),
              reliability: reliabilityOf(verdicts),
              audit: images.filter((row) => row.auditChance !== null).length,
              recall: estimateRecall(audits),
            },
            sample: {
              comparison: await readJson(store, outputOf(sample, 'comparison'), sampleComparisonSchema),
              reasons: countReasons(picks),
              picks: await inOrder(shownPicks, (pick) =>
                picture(
                  byId.get(pick.imageId),
                  { title: pick.why, detail: `probability ${pick.probability.toFixed(2)}`, score: null },
                  { proposal: null, box: null, outlined: null },
                ),
              ),
            },
            findings: await inOrder(shownFindings, (finding) =>
              picture(byId.get(finding.imageId), findingText(finding, pool.taxonomy), findingOverlay(finding)),
            ),
            tuning: tune === undefined ? null : await readJson(store, outputOf(tune, 'tuning'), tuningSchema),
            seconds: STEPS.flatMap((step) => {
              const result = results[step];
              return result === undefined ? [] : [{ step, seconds: result.seconds, outcome: result.outcome }];
            }),
            warnings,
          };
          const outputs = { report: attempt.key('index.html') };
          await attempt.store.put(outputs.report, renderReport(data), 'text/html; charset=utf-8');
          return { outputs, facts: {} };
        }),
      );
    },
  };

  /** A picture that cannot be read is shown as such: a report never fails for one image. */
  async function drawPicture(
    row: ChunkRow | undefined,
    text: Omit<Picture, 'src' | 'width' | 'height' | 'fileName'>,
    overlay: Omit<Overlay, 'label'> | null,
  ): Promise<Picture> {
    const empty = {
      ...text,
      fileName: row?.fileName ?? '',
      src: null,
      width: PICTURE_SIDE,
      height: Math.round(PICTURE_SIDE * 0.75),
    };
    if (row === undefined || row.split === 'test') return empty;
    try {
      const label = overlay === null ? null : await decodeLabel(await readLabel(store, row), row.fileName);
      return {
        ...empty,
        ...(await overlayPicture(await readImage(store, row), overlay === null ? null : { ...overlay, label })),
      };
    } catch (error) {
      log.warn({ error, file: row.fileName }, 'a picture of the report cannot be made');
      return empty;
    }
  }
}

function toPoint({ iteration, results }: { iteration: number; results: StepResults }): IterationPoint {
  const { draw, scan, sample, train, evaluate, decide } = results;
  const gate = decide?.facts.gate;
  return {
    iteration,
    drawn: draw?.facts.drawn ?? null,
    quarantined: scan?.facts.quarantined ?? null,
    sampled: sample?.facts.sampled ?? null,
    trainingSet: sample?.facts.trainingSet ?? null,
    miou: evaluate?.facts.miou ?? null,
    majorMiou: evaluate?.facts.majorMiou ?? null,
    minorMiou: evaluate?.facts.minorMiou ?? null,
    boundaryIou: evaluate?.facts.boundaryIou ?? null,
    valMiou: train?.facts.valMiou ?? null,
    benchmarkMiou: decide?.facts.benchmarkMiou ?? null,
    gate: typeof gate === 'string' ? gate : null,
    seconds: Object.values(results).reduce((sum, result) => sum + result.seconds, 0),
  };
}

function countKinds(
  findings: readonly FindingRow[],
  quarantined: ReadonlySet<string>,
): ReportData['detection']['kinds'] {
  const kinds = [...new Set(findings.map((finding) => finding.kind))];
  return kinds
    .map((kind) => {
      const own = findings.filter((finding) => finding.kind === kind);
      const images = new Set(own.map((finding) => finding.imageId));
      return {
        kind,
        findings: own.length,
        images: images.size,
        quarantined: [...images].filter((imageId) => quarantined.has(imageId)).length,
      };
    })
    .sort((a, b) => b.findings - a.findings || (a.kind < b.kind ? -1 : 1));
}

function countClasses(findings: readonly FindingRow[], taxonomy: Taxonomy): { name: string; findings: number }[] {
  const names = labelNames(taxonomy);
  const named = findings.map((finding) => names[finding.suggestedClassId || -1] ?? findingClass(finding, names));
  return countBy(named).map(([name, count]) => ({ name, findings: count }));
}

/** Reasons by what drove the pick; the rare classes are a table of their own. */
function countReasons(picks: readonly SampleRow[]): { why: string; count: number }[] {
  return countBy(picks.map((pick) => pick.why.split(';')[0] ?? pick.why)).map(([why, count]) => ({ why, count }));
}

function countBy(words: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
}

/** The most probable findings, one an image and a few a kind, so that every kind is seen. */
function mostSuspect(findings: readonly FindingRow[]): FindingRow[] {
  const images = new Set<string>();
  const kinds = new Map<string, number>();
  return findings
    .toSorted((a, b) => b.pWrong - a.pWrong || (a.findingId < b.findingId ? -1 : 1))
    .filter(({ imageId, kind }) => {
      const ofKind = kinds.get(kind) ?? 0;
      if (images.has(imageId) || ofKind >= FINDINGS_A_KIND) return false;
      images.add(imageId);
      kinds.set(kind, ofKind + 1);
      return true;
    })
    .slice(0, FINDING_PICTURES);
}

function neediest(picks: readonly SampleRow[]): SampleRow[] {
  return picks
    .filter((pick) => pick.reason === 'need')
    .toSorted((a, b) => b.need - a.need || (a.imageId < b.imageId ? -1 : 1))
    .slice(0, PICK_PICTURES);
}

function findingText(finding: FindingRow, taxonomy: Taxonomy): { title: string; detail: string; score: number } {
  const names = labelNames(taxonomy);
  const { kind, classId, suggestedClassId, pWrong } = finding;
  const given = findingClass(finding, names);
  const suggested =
    suggestedClassId === null || suggestedClassId === classId
      ? ''
      : ` → ${names[suggestedClassId] ?? suggestedClassId}`;
  return {
    title: kind.replaceAll('_', ' '),
    detail: `${given}${suggested}, ${Math.round(100 * pWrong)} %`,
    score: pWrong,
  };
}

function findingOverlay({ findingId, proposal, x0, y0, x1, y1 }: FindingRow): Omit<Overlay, 'label'> {
  const parsed = proposal === null ? null : proposalSchema.safeParse(parseText(proposal, `finding ${findingId}`));
  return { proposal: parsed?.success ? parsed.data : null, box: { x0, y0, x1, y1 }, outlined: null };
}

async function inOrder<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const done: R[] = [];
  for (const item of items) done.push(await work(item));
  return done;
}
