import { z } from 'zod';
import { connectedComponents, skipValues } from '../../../domain/geometry/components.js';
import { resizeNearest } from '../../../domain/geometry/resize.js';
import { decodeRle } from '../../../domain/geometry/rle.js';
import type { ReduceEntry } from '../../../domain/scan/index.js';
import type { FindingRow } from '../../../domain/tables.js';
import { BACKGROUND } from '../../../domain/taxonomy.js';
import type { BenchImage } from '../data.js';
import { LEAST_SHARE } from './parts.js';
import type { RealClaim, ScoredKind } from './score.js';

const proposalSchema = z.object({ size: z.tuple([z.number(), z.number()]), counts: z.array(z.number()) });

/** A part with the label of its mirror image is a part of a wrong class too. */
const KIND_OF: Partial<Record<string, ScoredKind>> = {
  missing_part: 'missing_part',
  wrong_class: 'wrong_class',
  swapped: 'wrong_class',
};

type Size = Pick<BenchImage, 'width' | 'height'>;

/** Findings of one image, of the kinds that are scored. `image` is the index that they get. */
export function findingClaims(findings: readonly FindingRow[], image: number, size: Size): RealClaim[] {
  return findings.flatMap((finding): RealClaim[] => {
    const kind = KIND_OF[finding.kind];
    if (kind === undefined) return [];
    const { suggestedClassId: value, x0, y0, x1, y1, pWrong: probability } = finding;
    return [{ image, kind, value, box: [x0, y0, x1, y1], probability, proposal: proposalOf(finding, size) }];
  });
}

/** Candidates of one image for missing parts, whatever their probability. */
export function candidateClaims({ analysis }: ReduceEntry, image: number): RealClaim[] {
  if (analysis === null) return [];
  const { width, height, candidates } = analysis;
  return candidates.flatMap(({ kind, suggestedClassId: value, box: [x0, y0, x1, y1] }): RealClaim[] =>
    kind !== 'missing_part'
      ? []
      : [
          {
            ...{ image, kind, value, probability: 1, proposal: null },
            box: [x0 / width, y0 / height, x1 / width, y1 / height],
          },
        ],
  );
}

/** What a judge sees in a picture that its label does not name. */
export interface Seen {
  claims: RealClaim[];
  /** Share of the picture that is background in the label and a part in the prediction, 0..1. */
  unlabelled: number;
}

/** `label` and `mask`: label values [size, size], the whole canvas. */
export function seenIn(label: Uint8Array, mask: Uint8Array, size: number, image: number): Seen {
  const unlabelled = mask.map((value, pixel) => (label[pixel] === BACKGROUND ? value : BACKGROUND));
  const { list } = connectedComponents(unlabelled, size, size, skipValues(BACKGROUND));
  return {
    unlabelled: list.reduce((sum, { area }) => sum + area, 0) / (size * size),
    claims: list
      .filter(({ area }) => area >= LEAST_SHARE * size * size)
      .map(({ value, x0, y0, x1, y1 }) => ({
        ...{ image, kind: 'missing_part', value, probability: 1, proposal: null },
        box: [x0 / size, y0 / size, x1 / size, y1 / size],
      })),
  };
}

/** Pixels of a finding's proposal, brought from the model's grid to the picture's. */
export function proposalOf({ proposal }: FindingRow, { width, height }: Size): Set<number> | null {
  if (proposal === null) return null;
  const { size, counts } = proposalSchema.parse(JSON.parse(proposal));
  const raster = resizeNearest(decodeRle(counts, size[1], size[0]), size[1], size[0], width, height);
  const region = new Set<number>();
  raster.forEach((inside, pixel) => {
    if (inside === 1) region.add(pixel);
  });
  return region;
}
