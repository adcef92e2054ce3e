import { derivedSeed, seededRandom, shuffle } from '../../domain/base/random.js';
import { assignFolds } from '../../domain/scan/judge/folds.js';
import type { BenchImage } from '../detect/data.js';
import { type FoldOptions, type Judge, type Judged, trainJudge } from '../detect/models.js';
import type { Arm } from './arms.js';
import type { Scores } from './evaluate.js';
import { type NetworkOptions, scoredNetwork } from './networks.js';
import { isBlind, pick, pickBlindly, scanPool } from './pick.js';
import type { ExperimentPool } from './pools.js';

/** Folds that judge what the last network may not. */
const FOLDS = 2;

export interface LoopOptions extends NetworkOptions {
  /** Iterations of the loop; each draws an equal part of the pool. */
  rounds: number;
  foldIterations: number;
  /** Share of each chunk that is picked. */
  share: number;
}

/** What the loop had after one of its iterations. */
export interface Round {
  round: number;
  images: BenchImage[];
  scores: Scores;
}

/**
 * The loop in short: each round scans a part of the pool and what was set aside before, adds its picks to the earlier
 * ones, and trains anew. The network of the round before judges images of which it has seen neither the vehicle nor a
 * near duplicate; two folds judge the rest, and learn from the chunk and the earlier picks.
 */
export async function runLoop(pool: ExperimentPool, arm: Arm, options: LoopOptions): Promise<Round[]> {
  const { seed, rounds } = options;
  const order = shuffle(pool.set.images, seededRandom('experiment', 'draw', seed));
  const size = Math.ceil(order.length / rounds);
  const done: Round[] = [];
  let picked: BenchImage[] = [];
  let aside: BenchImage[] = [];
  let candidate: Judge | null = null;
  for (let round = 1; round <= rounds; round++) {
    const chunk = order.slice((round - 1) * size, round * size);
    const judgedNow = { ...pool, set: { ...pool.set, images: [...chunk, ...aside] } };
    const asked = { budget: Math.round(options.share * chunk.length), seed, iteration: round, trainingSet: picked };
    if (isBlind(arm)) picked = [...picked, ...pickBlindly(arm, judgedNow, asked)];
    else {
      const judged = await judgesOf(judgedNow, picked, candidate, round, options);
      const scanned = await scanPool(judgedNow, judged, seed, [arm.choice]);
      const quarantined = new Set(scanned.scan.images.flatMap((row) => (row.quarantined ? [row.imageId] : [])));
      aside = arm.filter === 'on' ? judgedNow.set.images.filter(({ imageId }) => quarantined.has(imageId)) : [];
      picked = [...picked, ...pick(arm, scanned, asked)];
    }
    const { judge, scores } = await scoredNetwork(pool, picked, { ...options, name: `${options.name} round ${round}` });
    candidate = judge;
    done.push({ round, images: picked, scores });
  }
  return done;
}

/** The judges of the images of a round, none of which has seen what it judges. */
async function judgesOf(
  { set, given }: ExperimentPool,
  picked: readonly BenchImage[],
  candidate: Judge | null,
  round: number,
  options: LoopOptions,
): Promise<Judged> {
  const known = new Set(picked.flatMap(keysOf));
  const isUnseen = (image: BenchImage): boolean => candidate !== null && !keysOf(image).some((key) => known.has(key));
  const rest = set.images.filter((image) => !isUnseen(image));
  const assigned = assignFolds(rest, FOLDS, 'experiment', options.seed, round);
  const foldOf = new Map(rest.map(({ imageId }, index) => [imageId, assigned[index] as number]));
  const judges: Judge[] = [];
  for (let fold = 0; fold < FOLDS; fold++) {
    const members = new Set(rest.filter((_, index) => assigned[index] === fold).flatMap(keysOf));
    const train = [...set.images, ...picked].filter((image) => !keysOf(image).some((key) => members.has(key)));
    const training: Omit<FoldOptions, 'folds'> & { name: string } = {
      ...options,
      iterations: options.foldIterations,
      seed: derivedSeed('experiment', options.seed, round, fold),
      labelOf: given,
      name: `${options.name} round ${round} fold ${fold}`,
    };
    judges.push(await trainJudge(set, train, training, options.home, options.root));
    options.signal.throwIfAborted();
  }
  if (candidate !== null) judges.push(candidate);
  return { folds: set.images.map(({ imageId }) => foldOf.get(imageId) ?? FOLDS), judges };
}

/** Images that share one of these are never on both sides of a judgement. */
const keysOf = ({ cluster, vehicleId }: BenchImage): string[] => [
  `cluster ${cluster}`,
  ...(vehicleId === null ? [] : [`vehicle ${vehicleId}`]),
];
