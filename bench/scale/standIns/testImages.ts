import { seededRandom } from '../../../domain/base/random.js';
import type { EvaluationRow, IndexRow } from '../../../domain/tables.js';
import type { Taxonomy } from '../../../domain/taxonomy.js';
import { withScoringSessions } from '../../../inference/evaluation/scoringSessions.js';
import type { EvaluateRequest, Judged } from '../../../inference/evaluation/testImages.js';
import type { ActivityDeps } from '../../../steps/deps.js';
import { forEachLimited } from '../../../storage/parallel.js';
import { readTemplates, type Template, templateOf } from '../templates.js';

const IN_FLIGHT = 6;
/** Pixels of the evaluation's grid for one of the templates' grid. */
const SCALE = 16;
const SPREAD = 0.05;

/** Looks at nothing: a test image gets the counts of its template, which each model has a little different. */
export async function judgeTestImages(
  deps: ActivityDeps,
  request: EvaluateRequest,
  test: readonly IndexRow[],
  taxonomy: Taxonomy,
): Promise<Judged> {
  const templates = await readTemplates();
  return withScoringSessions(deps, request, test, taxonomy, async ({ judge }) => {
    const rows: EvaluationRow[] = [];
    const one = async (row: IndexRow, index: number): Promise<void> => {
      const template = templates[templateOf(row.imageId)] as Template;
      rows.push(await judge(index, async () => countsOf(row, template, request.modelDigest)));
      request.onProgress?.(rows.length, test.length);
    };
    await forEachLimited(test, IN_FLIGHT, one, request.signal);
    return { rows, leftOut: [] };
  });
}

function countsOf(row: IndexRow, template: Template, model: string): EvaluationRow {
  const factor = SCALE * (1 - SPREAD * seededRandom(model, row.imageId)());
  const { imageId, fileName, vehicleId, angle, vehicle, damage, black, reflection, zoomed, orientation, region } = row;
  return {
    ...{ imageId, fileName, vehicleId, angle, vehicle, damage, black, reflection, zoomed, orientation, region },
    confusion: scaled(template.confusion, ([given, predicted, pixels]) => [given, predicted, pixels * factor]),
    boundary: scaled(template.boundary, ([label, both, either]) => [label, both * factor, either * factor]),
    imageMiou: template.imageMiou,
    calibration: null,
  };
}

function scaled(
  triples: readonly number[],
  change: (triple: readonly [number, number, number]) => [number, number, number],
): number[] {
  return Array.from({ length: triples.length / 3 }, (_, at) => triples.slice(3 * at, 3 * at + 3)).flatMap(
    ([a = 0, b = 0, c = 0]) => change([a, b, c]).map(Math.round),
  );
}
