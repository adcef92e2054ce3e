import { SPOIL_SHARES } from '../../demo/spoil/truth.js';
import { seededRandom } from '../../domain/base/random.js';
import { scanConfigSchema } from '../../domain/config.js';
import type { ScanReduction } from '../../domain/scan/index.js';
import { scoreClaims } from './claims.js';
import { type BenchSet, givenLabel } from './data.js';
import type { Judged } from './models.js';
import { type PeerScores, peerScores } from './peer.js';
import { subsetOfPlanted } from './plant.js';
import { scanSet } from './scan.js';
import {
  type Calibrated,
  calibrationOf,
  type FindingScore,
  findingScore,
  flagRates,
  type Ranking,
  rankingOf,
  type SliceRate,
} from './score.js';

/** Shares of wrong labels at which the calibration is measured. */
export const PLANTED_SHARES = [0.05, 0.15, 0.3] as const;

export interface SeedResult {
  seed: number;
  images: number;
  wrong: boolean[];
  /** Suspicion by ours and the peers, one entry per image. */
  scores: Record<string, number[]>;
  rankings: Record<string, Ranking>;
  findings: FindingScore;
  prevalence: { planted: number; estimated: number };
  /** At the planted share and at fewer: of images, and of findings. */
  calibration: { share: number; estimated: number; images: Calibrated; findings: Calibrated }[];
  slices: SliceRate[];
  scanSeconds: number;
  peerSeconds: Record<string, number>;
}

/** Everything about one set of one seed. */
export async function measureSeed(
  set: BenchSet,
  judged: Judged,
  seed: number,
  paths: { home: string; root: string; peer: boolean },
): Promise<SeedResult> {
  const start = performance.now();
  const scan = await scanSet(set, judged, givenLabel, seed);
  const scanSeconds = (performance.now() - start) / 1_000;
  const wrong = set.images.map(({ planted }) => planted !== null);
  const ours = suspicion(scan);
  const peer = paths.peer ? await peerScores(set, judged, givenLabel, paths.home, paths.root) : null;
  const scores = { partloop: ours, ...peerSuspicion(peer) };
  const scored = scoreClaims(set.images, scan, (index) => set.images[index]?.planted ?? null);
  const calibration: SeedResult['calibration'] = [
    {
      share: wrong.filter(Boolean).length / wrong.length,
      estimated: scan.summary.prevalence,
      images: calibrationOf(ours, wrong),
      findings: calibrationOf(
        scored.claims.map(({ probability }) => probability),
        scored.claims.map((claim) => claim.wrong),
      ),
    },
  ];
  for (const share of PLANTED_SHARES) {
    if (share > (calibration[0]?.share ?? 0)) continue;
    calibration.push(await atShare(set, judged, seed, share));
  }
  return {
    seed,
    images: set.images.length,
    wrong,
    scores,
    rankings: Object.fromEntries(Object.entries(scores).map(([name, values]) => [name, rankingOf(values, wrong)])),
    findings: findingScore(scored),
    prevalence: { planted: wrong.filter(Boolean).length / wrong.length, estimated: scan.summary.prevalence },
    calibration,
    slices: flagRates(set, scan, wrong, scanConfigSchema.parse({}).quarantineAt),
    scanSeconds,
    peerSeconds: peer?.seconds ?? {},
  };
}

/** The same images and judges with only so many of the labels spoiled, in the demo's proportions. */
async function atShare(
  set: BenchSet,
  judged: Judged,
  seed: number,
  share: number,
): Promise<SeedResult['calibration'][number]> {
  const planted = set.images.map((image) => image.planted);
  const kept = subsetOfPlanted(planted, share, SPOIL_SHARES, seededRandom('bench', 'share', seed, share));
  const images = set.images.map((image, index) => (kept.has(index) ? image : { ...image, planted: null }));
  const scan = await scanSet({ ...set, images }, judged, givenLabel, seed);
  const wrong = images.map((image) => image.planted !== null);
  const { claims } = scoreClaims(images, scan, (index) => images[index]?.planted ?? null);
  return {
    share,
    estimated: scan.summary.prevalence,
    images: calibrationOf(suspicion(scan), wrong),
    findings: calibrationOf(
      claims.map(({ probability }) => probability),
      claims.map((claim) => claim.wrong),
    ),
  };
}

const suspicion = (scan: ScanReduction): number[] => scan.images.map(({ pMislabelled }) => pMislabelled);

function peerSuspicion(peer: PeerScores | null): Record<string, number[]> {
  if (peer === null) return {};
  return {
    [`cleanlab ${peer.cleanlab} softmin`]: peer.softmin.map((quality) => 1 - quality),
    [`cleanlab ${peer.cleanlab} issues`]: peer.issues.map((quality) => 1 - quality),
  };
}
