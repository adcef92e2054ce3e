import { createHash } from 'node:crypto';
import { pino } from 'pino';
import sharp from 'sharp';
import { loopConfigSchema } from '../../domain/config.js';
import type { DrawResult } from '../../domain/draw/step.js';
import { type EvaluateResult, evaluateStep } from '../../domain/evaluate/step.js';
import type { ScanResult } from '../../domain/scan/step.js';
import type { IterationContext } from '../../domain/steps.js';
import {
  chunkRowSchema,
  evaluationRowSchema,
  type FindingRow,
  findingRowSchema,
  type IndexRow,
  scanImageRowSchema,
} from '../../domain/tables.js';
import { NO_TAGS } from '../../domain/tags.js';
import type { TrainResult } from '../../domain/train/step.js';
import type { ActivityDeps } from '../../steps/deps.js';
import { digestOf } from '../../storage/digest.js';
import { keys } from '../../storage/keys.js';
import { encodeLabel } from '../../storage/pictures/labelMask.js';
import { openPool } from '../../storage/pool/pool.js';
import { readTable, writeTable } from '../../storage/tables/table.js';
import { idOf, indexRow, scanRow, TAXONOMY } from '../domain/sample/rows.js';
import { memoryStore } from '../support/standIns/memoryStore.js';
import { stepResult } from '../support/standIns/stepResult.js';
import { trainedCard } from './results.js';

export type Store = ReturnType<typeof memoryStore>;
const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** A pool of small real pictures: `count` to train on and two to test with. */
export async function filledPool(
  home: string,
  count: number,
): Promise<{ store: Store; deps: ActivityDeps; rows: IndexRow[] }> {
  const store = memoryStore();
  await store.put(keys.taxonomy('cars'), JSON.stringify(TAXONOMY));
  const label = await encodeLabel(
    Uint8Array.from({ length: 32 * 24 }, (_, at) => (at % 32 < 16 ? 1 : 2)),
    32,
    24,
  );
  const rows: IndexRow[] = [];
  for (let n = 0; n < count + 2; n++) {
    const image = await sharp({
      create: { width: 32, height: 24, channels: 3, background: { r: n * 3, g: 90, b: 255 - n * 3 } },
    })
      .png()
      .toBuffer();
    const row = indexRow(n, {
      imageId: sha(image),
      imageUri: keys.image('cars', sha(image)),
      labelSha256: sha(label),
      labelUri: keys.label('cars', sha(label)),
      ...{ width: 32, height: 24 },
      split: n < count ? 'train' : 'test',
      classes: [1, 2],
      angle: n % 3 ? 0 : 90,
    });
    await store.put(row.imageUri, image);
    await store.put(row.labelUri, label);
    rows.push(row);
  }
  await (await openPool(store, 'cars')).append(() => rows);
  return { store, deps: { store, home, root: '.', log: pino({ level: 'silent' }) }, rows };
}

/** Iteration 1 of loop `cars`, but for `fields`. */
export const context = (fields: Partial<IterationContext> = {}): IterationContext => ({
  loop: 'cars',
  iteration: 1,
  config: loopConfigSchema.parse({ pool: 'cars', chunkSize: 12, gate: { minUnits: 2 } }),
  previous: null,
  force: null,
  ...fields,
});

/** A scan in which the first image of the chunk has a missing part. */
export async function fakeScan(store: Store, draw: DrawResult): Promise<ScanResult> {
  const chunk = await readTable(store, draw.outputs.chunk ?? '', chunkRowSchema);
  const images = chunk.map((row, n) => ({
    ...scanRow(n),
    imageId: row.imageId,
    fileName: row.fileName,
    labelSha256: row.labelSha256,
    quarantined: n === 0,
    pMislabelled: n === 0 ? 0.9 : 0.05,
    findings: n === 0 ? 1 : 0,
    hardness: n / 20,
  }));
  const [first] = chunk;
  const finding: FindingRow = {
    findingId: 'f1',
    imageId: first?.imageId ?? '',
    fileName: first?.fileName ?? '',
    labelSha256: first?.labelSha256 ?? '',
    kind: 'missing_part',
    classId: 0,
    suggestedClassId: 3,
    areaPx: 40,
    areaShare: 0.05,
    pWrong: 0.9,
    pModel: 0.9,
    x0: 0.1,
    y0: 0.1,
    x1: 0.4,
    y1: 0.4,
    evidence: '{}',
    proposal: JSON.stringify({ size: [32, 32], counts: [100, 200, 724] }),
  };
  const prefix = `fake/${draw.digest}`;
  await writeTable(store, `${prefix}/images.parquet`, images, scanImageRowSchema);
  await writeTable(store, `${prefix}/findings.parquet`, [finding], findingRowSchema);
  await store.put(`${prefix}/summary.json`, JSON.stringify({ warnings: ['a rule fell silent'] }));
  return stepResult(
    'scan',
    { images: `${prefix}/images.parquet`, findings: `${prefix}/findings.parquet`, summary: `${prefix}/summary.json` },
    { quarantined: 1, model: 'folds', prevalence: 0.1 },
  );
}

/** A trained and evaluated model whose network nobody runs. */
export async function fakeModel(
  store: Store,
  rows: readonly IndexRow[],
): Promise<{ train: TrainResult; evaluate: EvaluateResult }> {
  await store.put('fake/model.json', JSON.stringify(trainedCard(32, idOf(4))));
  const evaluations = rows
    .filter((row) => row.split === 'test')
    .map((row) => ({
      imageId: row.imageId,
      fileName: row.fileName,
      vehicleId: null,
      ...NO_TAGS,
      angle: row.angle,
      confusion: [1, 1, 90, 1, 2, 10, 2, 2, 100],
      boundary: [1, 5, 9],
      imageMiou: 0.9,
      calibration: null,
    }));
  await writeTable(store, 'fake/evaluation.parquet', evaluations, evaluationRowSchema);
  return {
    train: stepResult(
      'train',
      { card: 'fake/model.json', scan: 'fake/scan.onnx', model: 'fake/model.onnx' },
      { valMiou: 0.5 },
    ),
    evaluate: stepResult(
      'evaluate',
      { images: 'fake/evaluation.parquet' },
      { miou: 0.9, majorMiou: 0.9, minorMiou: null, testVersion: 'v1' },
    ),
  };
}

/** Leave an evaluation of a weak model where `evaluateModel` keeps them, so that no network has to run. */
export async function scoredBefore(store: Store, digest: string, rows: readonly IndexRow[]): Promise<void> {
  const test = rows.filter((row) => row.split === 'test').sort((a, b) => (a.imageId < b.imageId ? -1 : 1));
  const place = keys.evaluation(
    digest,
    digestOf(test.map((row) => `${row.imageId} ${row.labelSha256}`)),
    context().config.evaluationSize,
    evaluateStep.version,
  );
  const weak = test.map((row) => ({
    imageId: row.imageId,
    fileName: row.fileName,
    vehicleId: null,
    ...NO_TAGS,
    confusion: [1, 1, 50, 1, 2, 50, 2, 2, 60, 2, 0, 40],
    boundary: [1, 3, 9],
    imageMiou: 0.4,
    calibration: null,
  }));
  await writeTable(store, `${place}images.parquet`, weak, evaluationRowSchema);
  await store.put(`${place}summary.json`, '{}');
}
