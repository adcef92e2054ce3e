import { scanConfigSchema } from '../../../domain/config.js';
import { reduceScan } from '../../../domain/scan/index.js';
import { decodeForNetwork } from '../../../inference/decode.js';
import { openSessions } from '../../../inference/sessions/sessions.js';
import type { BenchImage } from '../data.js';
import type { Judged } from '../models.js';
import { type PeerScores, peerScores } from '../peer.js';
import { analyseSet, labelOnCanvas } from '../scan.js';
import { type Calibrated, calibrationOf } from '../score.js';
import { candidateClaims, findingClaims, type Seen, seenIn } from './claims.js';
import { wrongParts, wrongShare } from './parts.js';
import { type ImageScore, imageScores, OURS, PLAIN } from './ranking.js';
import {
  judgeClaims,
  type MissingFunnel,
  missingFunnel,
  type RealError,
  type RealFindingScore,
  realFindingScores,
} from './score.js';
import { type TruthRows, truthRows } from './truthRows.js';
import type { Variant, VariantSet } from './variants.js';

export interface VariantResult {
  variant: Variant;
  /** Photos that are scanned, and those with an old label, which are scored. */
  scanned: number;
  images: number;
  /** By scored photo: wrong by parts; share of the picture in wrong parts; suspicion by each score. */
  wrong: boolean[];
  changed: number[];
  scores: Record<string, number[]>;
  ranking: Record<string, ImageScore>;
  calibration: Calibrated;
  /** Share of wrong labels among the scored photos, claimed and real; and the scan's estimate over all it scanned. */
  prevalence: { claimed: number; real: number; estimated: number };
  findings: RealFindingScore[];
  findingCalibration: Calibrated & { expected: number; right: number; findings: number };
  missing: MissingFunnel;
  seconds: { scan: number; peers: Record<string, number> };
  /** For the benchmarks of certificates and corrections. */
  truth: TruthRows;
}

/** One variant, judged by `judged`: the real scan over all its photos, scored on those with an old label. */
export async function measureVariant(
  one: VariantSet,
  judged: Judged,
  { seed, home, root, peer }: { seed: number; home: string; root: string; peer: boolean },
): Promise<VariantResult> {
  const { set, scored, scanned } = one;
  const start = performance.now();
  const { entries, classIou } = await analyseSet(set, judged, scanned, seed);
  const scan = reduceScan(entries, set.taxonomy, scanConfigSchema.parse({}), classIou);
  const seconds = (performance.now() - start) / 1_000;
  const images = scored.map((index) => set.images[index] as BenchImage);
  const truth = images.map((image) => wrongParts(scanned(image), image.clean, image.width, image.height));
  const errors = truth.flatMap((parts, image): RealError[] => parts.map((part) => ({ ...part, image })));
  const wrong = truth.map((parts) => parts.length > 0);
  const changed = truth.map((parts, at) => wrongShare(parts, images[at]?.width ?? 1, images[at]?.height ?? 1));
  const seen = await look(one, judged);
  const findings = images.flatMap((image, at) =>
    findingClaims(
      scan.findings.filter(({ imageId }) => imageId === image.imageId),
      at,
      image,
    ),
  );
  const candidates = scored.flatMap((index, at) => {
    const entry = entries[index];
    return entry === undefined ? [] : candidateClaims(entry, at);
  });
  const peers = peer ? await scoresOfPeers(one, judged, home, root) : null;
  const ours = scored.map((index) => scan.images[index]?.pMislabelled ?? 0);
  const scores = { [OURS]: ours, [PLAIN]: seen.map(({ unlabelled }) => unlabelled), ...suspicionOf(peers) };
  const claims = judgeClaims(findings, errors);
  const [probabilities, right] = [
    claims.map(({ probability }) => probability),
    claims.map(({ meets }) => meets.length > 0),
  ];
  return {
    variant: one.variant,
    scanned: set.images.length,
    images: scored.length,
    wrong,
    changed,
    scores,
    ranking: imageScores(scores, wrong, changed),
    calibration: calibrationOf(ours, wrong),
    prevalence: {
      claimed: ours.reduce((sum, one) => sum + one, 0) / ours.length,
      real: wrong.filter(Boolean).length / wrong.length,
      estimated: scan.summary.prevalence,
    },
    findings: realFindingScores(findings, errors),
    findingCalibration: {
      ...calibrationOf(probabilities, right),
      expected: probabilities.reduce((sum, one) => sum + one, 0),
      right: right.filter(Boolean).length,
      findings: claims.length,
    },
    missing: missingFunnel(
      errors,
      seen.flatMap(({ claims }) => claims),
      candidates,
      findings,
    ),
    seconds: { scan: seconds, peers: peers?.seconds ?? {} },
    truth: truthRows(scan, images, images.map(scanned), wrong),
  };
}

/** What the judges see in the scored photos that the labels do not name, in the order of `scored`. */
async function look({ set, scored, scanned }: VariantSet, { folds, judges }: Judged): Promise<Seen[]> {
  const seen: Seen[] = [];
  for (const [fold, judge] of judges.entries()) {
    const sessions = await openSessions(1, {
      modelPath: judge.scanPath,
      name: judge.id,
      threads: 1,
      taxonomy: set.taxonomy,
    });
    try {
      for (const [at, index] of scored.entries()) {
        if (folds[index] !== fold) continue;
        const image = set.images[index] as BenchImage;
        const { mask } = await sessions.look(
          await decodeForNetwork(image.bytes, sessions.size, image.fileName),
          image.fileName,
        );
        seen[at] = seenIn(labelOnCanvas(scanned(image), image, sessions.size), mask, sessions.size, at);
      }
    } finally {
      await sessions.close();
    }
  }
  return seen;
}

/** cleanlab's scores of the scored photos alone. */
const scoresOfPeers = (
  { set, scored, scanned }: VariantSet,
  { folds, judges }: Judged,
  home: string,
  root: string,
): Promise<PeerScores | null> =>
  peerScores(
    { ...set, images: scored.map((index) => set.images[index] as BenchImage) },
    { folds: scored.map((index) => folds[index] as number), judges },
    scanned,
    home,
    root,
  );

function suspicionOf(peers: PeerScores | null): Record<string, number[]> {
  if (peers === null) return {};
  return {
    [`cleanlab ${peers.cleanlab} softmin`]: peers.softmin.map((quality) => 1 - quality),
    [`cleanlab ${peers.cleanlab} issues`]: peers.issues.map((quality) => 1 - quality),
  };
}
