import { z } from 'zod';
import { SPOIL_KINDS, type SpoilKind } from '../../demo/spoil/truth.js';
import { decodeRle } from '../../domain/geometry/rle.js';
import type { ScanReduction } from '../../domain/scan/index.js';
import type { FindingRow } from '../../domain/tables.js';
import { type JudgedClaim, meets } from '../metrics/detection.js';
import type { BenchImage } from './data.js';
import type { PlantedLabel } from './plant.js';

/** Regions of fewer pixels at model size count neither as errors nor as claims. */
const LEAST_PX = 30;
const PLANTED_KINDS: ReadonlySet<string> = new Set(SPOIL_KINDS);

const proposalSchema = z.object({ size: z.tuple([z.number(), z.number()]), counts: z.array(z.number()) });

export interface ScoredClaim extends JudgedClaim {
  image: number;
  /** At least 30 % of its region is wrong, whatever the kind; for the whole label, any error counts. */
  wrong: boolean;
}

export interface Scored {
  claims: ScoredClaim[];
  /** Ids of the planted errors that count, by kind. */
  planted: Record<SpoilKind, string[]>;
}

/**
 * Findings of a scan compared with the planted errors. `planted(index)` gives those in the label of an image; null
 * for none.
 */
export function scoreClaims(
  images: readonly BenchImage[],
  scan: ScanReduction,
  plantedIn: (index: number) => PlantedLabel | null,
): Scored {
  const planted = Object.fromEntries(SPOIL_KINDS.map((kind) => [kind, [] as string[]])) as Record<SpoilKind, string[]>;
  const byImage = new Map<string, FindingRow[]>();
  for (const finding of scan.findings) {
    const list = byImage.get(finding.imageId);
    if (list === undefined) byImage.set(finding.imageId, [finding]);
    else list.push(finding);
  }
  const claims = images.flatMap((image, index): ScoredClaim[] => {
    const label = plantedIn(index);
    const errors = (label?.errors ?? []).map((error, at) => ({
      ...error,
      id: `${index}:${at}`,
      counts: error.region === null || error.region.size >= LEAST_PX,
    }));
    for (const { kind, id, counts } of errors) if (counts) planted[kind].push(id);
    return (byImage.get(image.imageId) ?? []).flatMap((finding): ScoredClaim[] => {
      const region = regionOf(finding);
      if (region !== null && region.size < LEAST_PX) return [];
      const claim = { kind: finding.kind, probability: finding.pWrong, region };
      const met = errors.filter((error) => meets(claim, error));
      // A match with an error too small to count is neither right nor false.
      if (met.length > 0 && met.every(({ counts }) => !counts)) return [];
      const wrong = isWrong(region, label, errors);
      // Kinds that are never planted can meet nothing: beside a real error they are neither right nor false.
      if (wrong && !PLANTED_KINDS.has(finding.kind)) return [];
      return [
        {
          kind: finding.kind,
          probability: finding.pWrong,
          image: index,
          meets: met.filter(({ counts }) => counts).map(({ id }) => id),
          wrong,
        },
      ];
    });
  });
  return { claims, planted };
}

function isWrong(
  region: ReadonlySet<number> | null,
  label: PlantedLabel | null,
  errors: readonly { region: ReadonlySet<number> | null }[],
): boolean {
  if (label === null) return false;
  if (region === null || errors.some((error) => error.region === null)) return true;
  let changed = 0;
  for (const pixel of region) if (errors.some((error) => error.region?.has(pixel))) changed++;
  return changed >= 0.3 * region.size;
}

/** Pixels of a finding's proposal on the model's grid, which is square here; null if it has none. */
function regionOf(finding: FindingRow): Set<number> | null {
  if (finding.proposal === null) return null;
  const { size, counts } = proposalSchema.parse(JSON.parse(finding.proposal));
  const [height, width] = size;
  const raster = decodeRle(counts, width, height);
  const region = new Set<number>();
  raster.forEach((inside, pixel) => {
    if (inside === 1) region.add(pixel);
  });
  return region;
}
