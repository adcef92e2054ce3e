import type { LoopConfig } from '../domain/config.js';
import { PartloopError } from '../domain/errors.js';
import { countBoundary } from '../domain/evaluation/boundary.js';
import { ClassSums, classLabels, countConfusion } from '../domain/evaluation/confusion.js';
import { evaluationSummarySchema, summariseEvaluation } from '../domain/evaluation/summary.js';
import { cropTopLeft, resizeNearest } from '../domain/geometry/resize.js';
import { modelCardSchema } from '../domain/modelCard.js';
import type { IterationContext, StepResult, StepResults } from '../domain/steps.js';
import { type EvaluationRow, evaluationRowSchema, type IndexRow } from '../domain/tables.js';
import type { Taxonomy } from '../domain/taxonomy.js';
import { decodeForNetwork } from '../inference/decode.js';
import { contentSize } from '../inference/letterbox.js';
import { fetchModel } from '../inference/modelFile.js';
import { openSessions, type SessionPool } from '../inference/sessions.js';
import { digestOf } from '../storage/digest.js';
import { readImage, readLabel } from '../storage/imageSource.js';
import { readJson } from '../storage/json.js';
import { keys } from '../storage/keys.js';
import { decodeLabel } from '../storage/labelMask.js';
import { writeTable } from '../storage/table.js';
import type { ActivityDeps } from './deps.js';
import { throwIfCancelled, withHeartbeat } from './heartbeat.js';
import { poolOf } from './pool.js';
import { runStep } from './step.js';

/** Of the counting; what an older one left is counted again. */
export const EVALUATION_VERSION = 1;
const READ_AHEAD = 2;

export interface EvaluateRequest {
  pool: string;
  poolVersion: number;
  scanKey: string;
  /** sha256 of the file under `scanKey`. */
  modelDigest: string;
  /** Longest side in pixels of the grid that is counted on. */
  size: number;
  config: LoopConfig;
  signal: AbortSignal;
  onProgress?(done: number, total: number): void;
}

export interface Evaluation {
  images: string;
  summary: string;
  testVersion: string;
}

/** Step evaluate: the candidate on the frozen test set, through the same ONNX file that scans. */
export function createEvaluateActivities(deps: ActivityDeps) {
  return {
    async evaluate({ context, results }: { context: IterationContext; results: StepResults }): Promise<StepResult> {
      const { config } = context;
      const { scan: scanKey, card: cardKey } = results.train?.outputs ?? {};
      const poolVersion = results.draw?.facts.poolVersion;
      if (scanKey === undefined || cardKey === undefined || typeof poolVersion !== 'number') {
        throw new PartloopError('input-invalid', 'step `evaluate` needs the results of draw and train');
      }
      const modelDigest = (await readJson(deps.store, cardKey, modelCardSchema)).files.scan;
      const inputs = {
        model: modelDigest,
        poolVersion,
        pool: config.pool,
        size: config.evaluationSize,
        threads: config.scan.threadsPerSession,
      };
      return withHeartbeat((beat) =>
        runStep(deps.store, context, 'evaluate', EVALUATION_VERSION, inputs, async () => {
          const { images, summary, testVersion } = await evaluateModel(deps, {
            pool: config.pool,
            poolVersion,
            scanKey,
            modelDigest,
            size: config.evaluationSize,
            config,
            signal: beat.signal,
            onProgress: (done, total) => beat.report({ done, total }),
          });
          const {
            miou,
            majorMiou,
            minorMiou,
            imageMiou,
            boundaryIou,
            images: count,
          } = await readJson(deps.store, summary, evaluationSummarySchema);
          return {
            outputs: { images, summary },
            facts: { miou, majorMiou, minorMiou, imageMiou, boundaryIou, images: count, testVersion },
          };
        }),
      );
    },
  };
}

/**
 * Score a model on the test images of a pool version. Kept under (model, test version, grid), so that a benchmark is scored
 * once a test version; the summary is written last and says that the rest is whole.
 *
 * The grid is the label at longest side `size`, nearest neighbour, padding left out.
 */
export async function evaluateModel(deps: ActivityDeps, request: EvaluateRequest): Promise<Evaluation> {
  const { store } = deps;
  const pool = await poolOf(deps, request.pool);
  const test = (await pool.readIndex(request.poolVersion)).filter(
    (row) => row.split === 'test' && row.region !== 'interior',
  );
  if (test.length === 0) {
    throw new PartloopError('data-invalid', `pool \`${request.pool}\` has no test images`, {
      hint: 'Import some with `--split test`: without them no model can be judged.',
    });
  }
  const testVersion = digestOf(test.map((row) => `${row.imageId} ${row.labelSha256}`));
  const place = keys.evaluation(request.modelDigest, testVersion, request.size, EVALUATION_VERSION);
  const evaluation = { images: `${place}images.parquet`, summary: `${place}summary.json`, testVersion };
  if ((await store.head(evaluation.summary)) !== null) return evaluation;

  const modelPath = await fetchModel(store, request.scanKey, request.modelDigest, deps.home);
  const { sessions, threadsPerSession, provider } = request.config.scan;
  const opened = await openSessions(sessions, {
    modelPath,
    name: request.scanKey,
    threads: threadsPerSession,
    provider,
    taxonomy: pool.taxonomy,
  });
  try {
    const rows = await evaluateImages(deps, request, test, opened, pool.taxonomy);
    await writeTable(store, evaluation.images, rows, evaluationRowSchema);
    await store.put(
      evaluation.summary,
      JSON.stringify(summariseEvaluation(rows, pool.taxonomy), null, 1),
      'application/json',
    );
  } finally {
    await opened.close();
  }
  return evaluation;
}

async function evaluateImages(
  deps: ActivityDeps,
  request: EvaluateRequest,
  test: readonly IndexRow[],
  opened: SessionPool,
  taxonomy: Taxonomy,
): Promise<EvaluationRow[]> {
  const rows = new Array<EvaluationRow>(test.length);
  let next = 0;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (next < test.length) {
      if (request.signal.aborted) return;
      const index = next++;
      rows[index] = await evaluateImage(deps, test[index] as IndexRow, request.size, opened, taxonomy);
      request.onProgress?.(++done, test.length);
    }
  };
  await Promise.all(Array.from({ length: Math.min(test.length, opened.sessions * (1 + READ_AHEAD)) }, lane));
  throwIfCancelled(request.signal);
  return rows;
}

async function evaluateImage(
  { store }: ActivityDeps,
  row: IndexRow,
  gridSize: number,
  opened: SessionPool,
  taxonomy: Taxonomy,
): Promise<EvaluationRow> {
  const [image, labelBytes] = await Promise.all([readImage(store, row), readLabel(store, row)]);
  const [picture, label] = await Promise.all([
    decodeForNetwork(image, opened.size, row.fileName),
    decodeLabel(labelBytes, `label of ${row.fileName}`),
  ]);
  const mask = await opened.predict(picture);
  const grid = contentSize(label.width, label.height, gridSize);
  const given = resizeNearest(label.pixels, label.width, label.height, grid.width, grid.height);
  const predicted = resizeNearest(
    cropTopLeft(mask, opened.size, picture.width, picture.height),
    picture.width,
    picture.height,
    grid.width,
    grid.height,
  );
  const labels = classLabels(taxonomy.classes.length);
  const confusion = countConfusion(given, predicted);
  const { imageId, fileName, vehicleId, angle, vehicle, damage, black, reflection, zoomed, orientation, region } = row;
  return {
    imageId,
    fileName,
    vehicleId,
    angle,
    vehicle,
    damage,
    black,
    reflection,
    zoomed,
    orientation,
    region,
    confusion,
    boundary: countBoundary(given, predicted, grid.width, grid.height, labels.length),
    imageMiou: new ClassSums().add(confusion).miouOfPresent(labels),
  };
}
