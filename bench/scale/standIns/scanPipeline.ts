import { seededRandom } from '../../../domain/base/random.js';
import type { ImageAnalysis } from '../../../domain/scan/index.js';
import type { ScanRequest } from '../../../inference/sessions/scanPipeline.js';
import { forEachLimited } from '../../../storage/parallel.js';
import { readTemplates, type Template, templateOf } from '../templates.js';

export * from '../../../inference/sessions/scanPipeline.js';

const IN_FLIGHT = 6;
/** Measurements of two images of one template differ by up to this share. */
const SPREAD = 0.1;

/** Judges nothing: an image gets the analysis of its template, with measurements of its own. Notes are written. */
export async function scanRows({
  rows,
  seed,
  injectShare,
  signal,
  beforeImage,
  onScanned,
}: ScanRequest): Promise<void> {
  const templates = await readTemplates();
  await forEachLimited(
    rows,
    IN_FLIGHT,
    async (row, index) => {
      await beforeImage?.(index);
      const isInjected = seededRandom(`inject:${seed}:${row.imageId}`)() < injectShare;
      const { analysis } = templates[templateOf(row.imageId)] as Template;
      onScanned({ row, analysis: ownAnalysis(row.imageId, analysis, isInjected), error: null, unusable: false }, index);
    },
    signal,
  );
}

function ownAnalysis(imageId: string, analysis: ImageAnalysis, isInjected: boolean): ImageAnalysis {
  const random = seededRandom('scale', imageId);
  const factor = 1 - SPREAD * random();
  const statistics = { ...analysis.statistics, agreement: factor * analysis.statistics.agreement };
  const candidates = analysis.candidates.map((candidate) => {
    const { confidence, disagreement } = candidate.features;
    const own = { confidence: factor * confidence, disagreement: (1 - SPREAD * random()) * disagreement };
    return { ...candidate, features: { ...candidate.features, ...own } };
  });
  return { ...analysis, statistics, candidates, injected: isInjected ? analysis.injected : [] };
}
