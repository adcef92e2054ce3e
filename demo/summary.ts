import { readFile } from 'node:fs/promises';
import type { LoopState } from '../domain/loop/state.js';
import { neededBy, outputOf } from '../domain/stepContract.js';
import { STEPS, type Step, type StepResults } from '../domain/steps.js';
import {
  chunkRowSchema,
  type FindingRow,
  findingRowSchema,
  sampleRowSchema,
  scanImageRowSchema,
} from '../domain/tables.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { readTable } from '../storage/tables/table.js';
import { type Detection, detectionByKind, type Judged } from './detection.js';
import { type TruthRow, truthRowSchema } from './spoil/truth.js';

export interface IterationSummary {
  iteration: number;
  drawn: number;
  /** Images of this chunk that were set aside. */
  quarantined: number;
  /** Images of this chunk whose label was spoiled, and how many of these were set aside, or picked nevertheless. */
  spoiled: number;
  spoiledQuarantined: number;
  spoiledSampled: number;
  sampled: number;
  trainingSet: number;
  miou: number | null;
  majorMiou: number | null;
  minorMiou: number | null;
  benchmarkMiou: number | null;
  valMiou: number | null;
  gate: string | null;
  seconds: Record<Step, number>;
}

export interface DemoSummary {
  seed: number;
  iterations: IterationSummary[];
  detection: Detection[];
  totalSeconds: number;
}

export interface SummaryInput {
  store: ObjectStore;
  state: LoopState;
  /** The kept-apart truth, read here and nowhere else. */
  truth: ReadonlyMap<string, TruthRow>;
  seed: number;
  totalSeconds: number;
  /** Wall seconds of each iteration's whole scan with its cross-validation, if they are known. */
  scanSeconds: ReadonlyMap<number, number>;
}

/** Join the loop's results with the planted errors. */
export async function summarise(input: SummaryInput): Promise<DemoSummary> {
  const judged: Judged[] = [];
  const iterations: IterationSummary[] = [];
  for (const { iteration, current } of input.state.iterations) {
    if (current.status !== 'finished') continue;
    const summary = await summariseIteration(input, iteration, current.results);
    iterations.push(summary.row);
    judged.push(...summary.judged);
  }
  return {
    seed: input.seed,
    iterations,
    detection: detectionByKind(judged).map((row) => ({
      ...row,
      precision: rounded(row.precision),
      recall: rounded(row.recall),
    })),
    totalSeconds: Math.round(input.totalSeconds),
  };
}

/** `truth.jsonl` by file name. */
export async function readTruth(file: string): Promise<Map<string, TruthRow>> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  return new Map(lines.map((line) => truthRowSchema.parse(JSON.parse(line))).map((row) => [row.fileName, row]));
}

async function summariseIteration(
  { store, truth, scanSeconds }: SummaryInput,
  iteration: number,
  results: StepResults,
): Promise<{ row: IterationSummary; judged: Judged[] }> {
  const done = neededBy('the summary', results, ['draw', 'scan', 'sample']);
  const [chunk, images, findings, sample] = await Promise.all([
    readTable(store, outputOf(done.draw, 'chunk'), chunkRowSchema),
    readTable(store, outputOf(done.scan, 'images'), scanImageRowSchema),
    readTable(store, outputOf(done.scan, 'findings'), findingRowSchema),
    readTable(store, outputOf(done.sample, 'sample'), sampleRowSchema),
  ]);
  // A scan also judges the backlog of earlier chunks again; here each image counts once, with the chunk it was drawn
  // in.
  const wrong = new Set(
    chunk.filter(({ fileName }) => truth.get(fileName)?.wrong === true).map(({ imageId }) => imageId),
  );
  const own = new Set(chunk.map(({ imageId }) => imageId));
  const setAside = images.filter(({ imageId, quarantined }) => quarantined && own.has(imageId));
  const byImage = new Map<string, FindingRow[]>(chunk.map(({ imageId }) => [imageId, []]));
  for (const finding of findings) byImage.get(finding.imageId)?.push(finding);
  const { decide, evaluate, train } = results;
  return {
    row: {
      iteration,
      drawn: chunk.length,
      quarantined: setAside.length,
      spoiled: wrong.size,
      spoiledQuarantined: setAside.filter(({ imageId }) => wrong.has(imageId)).length,
      sampled: sample.length,
      trainingSet: results.sample?.facts.trainingSet ?? 0,
      miou: rounded(evaluate?.facts.miou),
      majorMiou: rounded(evaluate?.facts.majorMiou),
      minorMiou: rounded(evaluate?.facts.minorMiou),
      benchmarkMiou: rounded(decide?.facts.benchmarkMiou),
      valMiou: rounded(train?.facts.valMiou),
      spoiledSampled: sample.filter(({ imageId }) => wrong.has(imageId)).length,
      gate: decide?.facts.gate ?? null,
      seconds: secondsOf(results, scanSeconds.get(iteration)),
    },
    judged: chunk.flatMap(({ fileName, imageId }) => {
      const row = truth.get(fileName);
      return row === undefined ? [] : [{ truth: row, findings: byImage.get(imageId) ?? [] }];
    }),
  };
}

function secondsOf(results: StepResults, scan: number | undefined): Record<Step, number> {
  const seconds = { draw: 0, scan: 0, sample: 0, train: 0, evaluate: 0, decide: 0, tune: 0, control: 0, report: 0 };
  for (const step of STEPS) seconds[step] = results[step]?.seconds ?? 0;
  return { ...seconds, scan: Math.max(seconds.scan, Math.round((scan ?? 0) * 10) / 10) };
}

const rounded = (value: number | null | undefined): number | null =>
  value == null ? null : Math.round(value * 1e4) / 1e4;
