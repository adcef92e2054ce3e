import type { ScanReduction } from '../../domain/scan/index.js';
import type { FindingRow } from '../../domain/tables.js';
import type { BenchImage } from '../detect/data.js';
import { proposalOf } from '../detect/real/claims.js';
import { gainOf } from '../detect/real/truthRows.js';

/**
 * - `old`: labels as they are.
 * - `automatic`: with every proposal of at least a probability applied.
 * - `answers`: the most probable proposals were answered by the corrected labels, the others as in `automatic`.
 * - `corrected`: labels after people corrected them.
 */
export const ARMS = ['old', 'automatic', 'answers', 'corrected'] as const;
export type Arm = (typeof ARMS)[number];

/** What was done to the labels of an arm. */
export interface Corrections {
  applied: number;
  /** Of the applied ones: they take more pixels from the corrected label than they bring to it. */
  harmful: number;
  images: number;
}

export interface CorrectedLabels {
  labelOf(image: BenchImage): Uint8Array;
  corrections: Corrections;
}

export interface ArmOptions {
  /** Least probability at which a proposal is applied without an answer, 0..1. */
  from: number;
  /** Simulated answers. */
  answers: number;
}

/** The labels of an arm. `given`: the label under test; `scan`: what a scan of it found. */
export function labelsOf(
  arm: Arm,
  images: readonly BenchImage[],
  given: (image: BenchImage) => Uint8Array,
  scan: Pick<ScanReduction, 'findings'>,
  options: ArmOptions,
): CorrectedLabels {
  if (arm === 'old' || arm === 'corrected') {
    const corrections = { applied: 0, harmful: 0, images: 0 };
    return { labelOf: arm === 'old' ? given : ({ clean }) => clean, corrections };
  }
  const byId = new Map(images.map((image) => [image.imageId, image]));
  const proposals = scan.findings
    .flatMap((finding) => proposalIn(finding, byId.get(finding.imageId), given))
    .sort((a, b) => b.finding.pWrong - a.finding.pWrong || (a.finding.findingId < b.finding.findingId ? -1 : 1));
  const answered = arm === 'answers' ? options.answers : 0;
  const applied = proposals.filter(({ finding, gain }, at) =>
    at < answered ? gain > 0 : finding.pWrong >= options.from,
  );
  const labels = new Map<string, Uint8Array>();
  // The most probable one is painted last, so that it counts where two overlap.
  for (const { image, region, value } of applied.toReversed()) {
    const label = labels.get(image.imageId) ?? Uint8Array.from(given(image));
    for (const pixel of region) label[pixel] = value;
    labels.set(image.imageId, label);
  }
  return {
    labelOf: (image) => labels.get(image.imageId) ?? given(image),
    corrections: {
      applied: applied.length,
      harmful: applied.filter(({ gain }) => gain <= 0).length,
      images: labels.size,
    },
  };
}

interface Proposal {
  finding: FindingRow;
  image: BenchImage;
  region: ReadonlySet<number>;
  value: number;
  gain: number;
}

function proposalIn(
  finding: FindingRow,
  image: BenchImage | undefined,
  given: (image: BenchImage) => Uint8Array,
): Proposal[] {
  if (image === undefined || finding.suggestedClassId === null) return [];
  const region = proposalOf(finding, image);
  if (region === null) return [];
  const value = finding.suggestedClassId;
  return [{ finding, image, region, value, gain: gainOf(region, value, given(image), image.clean) }];
}
