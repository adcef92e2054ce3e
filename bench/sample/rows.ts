import { seededRandom } from '../../domain/base/random.js';
import type { ChunkRow, IndexRow, ScanImageRow, TrainingRow } from '../../domain/tables.js';
import { ANGLES, DAMAGES, ORIENTATIONS, type Tags, VEHICLES } from '../../domain/tags.js';
import { poolRows } from '../draw/rows.js';

const CLASSES = 18;
/** Share of the scanned images that are set aside, and of wrong probabilities that are not small. */
const SET_ASIDE = 0.05;

/** A row of the pool with tags and parts that vary as those of a real pool do. */
function taggedRows(from: number, count: number): IndexRow[] {
  return poolRows(from, count, 'even').map((row, at) => {
    const random = seededRandom('bench', 'sample', from + at);
    return { ...row, ...tagsBy(random), split: 'train', classes: classesBy(random) };
  });
}

/** Images that were drawn, one in fifty of them beside a near duplicate. */
export const chunkRows = (from: number, count: number): ChunkRow[] =>
  taggedRows(from, count).map((row, at, all) => ({
    ...row,
    cluster: (at % 50 === 1 ? all[at - 1] : row)?.imageId ?? row.imageId,
  }));

export const trainingRows = (from: number, count: number): TrainingRow[] =>
  taggedRows(from, count)
    .map((row): TrainingRow => ({ ...row, cluster: row.imageId, pickedIn: 1 }))
    .sort((a, b) => (a.imageId < b.imageId ? -1 : 1));

export const scanRows = (chunk: readonly ChunkRow[]): ScanImageRow[] =>
  chunk.map(({ imageId, fileName, labelSha256, classes }, at) => {
    const random = seededRandom('bench', 'scanned', at);
    const pMislabelled = random() < SET_ASIDE ? 0.5 + random() / 2 : random() ** 4 / 2;
    return {
      ...{ imageId, fileName, labelSha256, labelQuality: 1 - pMislabelled, pMislabelled },
      quarantined: pMislabelled >= 0.5,
      regionsIgnored: false,
      kinds: [],
      findings: 0,
      auditChance: null,
      labelIou: 0.5 + random() / 2,
      hardness: random() / 2,
      classIou: '{}',
      predictedClasses: classes,
      inferredTags: '{}',
      model: 'bench',
      error: null,
    };
  });

function tagsBy(random: () => number): Tags {
  const of = <T>(values: readonly T[]): T => values[Math.floor(random() ** 2 * values.length)] as T;
  return {
    angle: of(ANGLES),
    vehicle: of(VEHICLES),
    damage: of(DAMAGES),
    black: random() < 0.1,
    reflection: random() < 0.1,
    zoomed: random() < 0.1,
    orientation: of(ORIENTATIONS),
    region: 'exterior',
  };
}

function classesBy(random: () => number): number[] {
  return Array.from({ length: CLASSES }, (_, at) => at + 1).filter((label) => random() < 1 / (1 + label / 6));
}
