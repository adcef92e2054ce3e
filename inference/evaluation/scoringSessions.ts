import { PartloopError } from '../../domain/base/errors.js';
import type { LoopConfig } from '../../domain/config.js';
import { isFaultOfImage } from '../../domain/images/leftOut.js';
import type { IndexRow } from '../../domain/tables.js';
import type { Taxonomy } from '../../domain/taxonomy.js';
import type { ActivityDeps } from '../../steps/deps.js';
import { keys } from '../../storage/keys.js';
import { TRIES } from '../../storage/pictures/helperProcess.js';
import { readImage } from '../../storage/pictures/imageSource.js';
import { isFaultOfAnswer } from '../answer.js';
import { JudgeProcess } from '../judge/judgeProcess.js';
import { tryModel } from '../judge/modelTrial.js';
import { judgeSuspects } from '../judge/suspects.js';
import { fetchModel } from '../modelFile.js';
import { InHand } from '../scan/inHand.js';
import type { ThreadSetup } from '../sessions/scanMessages.js';
import { openSessions, type SessionPool } from '../sessions/sessions.js';
import { isStalled, Watchdog } from '../watchdog.js';

export interface ModelUnderTest {
  scanKey: string;
  /** sha256 of the file under `scanKey`. */
  modelDigest: string;
  /** Longest side in pixels of the grid on which pixels are counted. */
  size: number;
  config: LoopConfig;
  /** Where the images in hand are noted; the place of loops if omitted. Two evaluations at once need two. */
  inHand?: string;
  signal: AbortSignal;
}

/** Sessions of a model that is scored on test images. */
export interface ScoringSessions {
  opened: SessionPool;
  /**
   * Judge the test image at `index` by `work`, which uses `opened`.
   *
   * @throws PartloopError `data-invalid` naming a picture that ended its process repeatedly
   */
  judge<T>(index: number, work: () => Promise<T>): Promise<T>;
}

/**
 * Open a model to score it on `test`, as a scan opens its judges: it is tried on a few pictures first, a hang ends this
 * process in order, and a picture that crashes the process is found in a separate process and no longer judged.
 *
 * @throws PartloopError `model-invalid` if the model cannot judge, `no-progress` if attempts end without an explanation
 */
export async function withScoringSessions<T>(
  deps: ActivityDeps,
  model: ModelUnderTest,
  test: readonly IndexRow[],
  taxonomy: Taxonomy,
  work: (sessions: ScoringSessions) => Promise<T>,
): Promise<T> {
  const { store } = deps;
  const images = test.map(({ imageId }) => imageId);
  // One for all test versions: a picture that ended a process in one would do so in the next.
  const hand = await InHand.open(store, model.inHand ?? keys.evaluationInHand(model.modelDigest));
  const { threadsPerSession: threads, provider, sessions } = model.config.scan;
  const modelPath = await fetchModel(store, model.scanKey, model.modelDigest, deps.home);
  const setup = { modelPath, name: model.scanKey, threads, provider, taxonomy };
  const stallMs = 1_000 * model.config.durability.inferenceStallSeconds;
  try {
    await findEnders(deps, setup, { test, hand, stallMs, signal: model.signal });
    const able = test.filter(({ imageId }) => hand.leftOut[imageId] === undefined);
    const trial = { store, rows: able, setup, stallMs, signal: model.signal };
    for (const warning of await tryModel(trial)) deps.log.warn(warning);
    await hand.loading();
    const watchdog = new Watchdog(stallMs, (error) => deps.retire?.(error), model.signal);
    const opened = await openSessions(sessions, setup, watchdog);
    try {
      const result = await work({ opened, judge: (index, one) => judgeNoted(hand, images, index, one) });
      await hand.finish({ keepLeftOut: true });
      return result;
    } finally {
      await opened.close();
    }
  } catch (error) {
    // A thread hangs: the process ends, and the next attempt must find the images in hand.
    if (!isStalled(error)) await hand.close();
    throw isStalled(error) && model.signal.aborted ? model.signal.reason : error;
  }
}

async function judgeNoted<T>(
  hand: InHand,
  images: readonly string[],
  index: number,
  work: () => Promise<T>,
): Promise<T> {
  const image = images[index] as string;
  const reason = hand.leftOut[image];
  if (reason !== undefined) throw new PartloopError('data-invalid', reason);
  await hand.before(images, index);
  try {
    return await work();
  } catch (error) {
    if (isStalled(error)) await hand.stalled(image);
    throw error;
  } finally {
    hand.done(index);
  }
}

/**
 * After an attempt that ended without a report: find out, in separate processes, which of the pictures in hand ends its
 * process.
 */
async function findEnders(
  deps: ActivityDeps,
  setup: ThreadSetup,
  { test, hand, stallMs, signal }: { test: readonly IndexRow[]; hand: InHand; stallMs: number; signal: AbortSignal },
): Promise<void> {
  const suspects = new Set(hand.suspects ?? []);
  if (hand.ended > TRIES && suspects.size !== 1) {
    throw new PartloopError('no-progress', `the evaluation of ${setup.name} ended its worker ${hand.ended} times`, {
      hint: 'No single picture does so: mostly memory is too small. Lower `scan.sessions`, then retry the iteration.',
    });
  }
  if (suspects.size === 0) return;
  await hand.keep();
  const places = [...test.keys()];
  const isSuspect = (index: number): boolean => suspects.has((test[index] as IndexRow).imageId);
  await judgeSuspects<void>({
    suspects: new Map(places.filter(isSuspect).map((index) => [index, 1])),
    controls: places.filter((index) => !isSuspect(index)).slice(0, TRIES - 1),
    model: setup.name,
    nameOf: (index) => (test[index] as IndexRow).fileName,
    signal,
    open: async () => {
      const judge = await JudgeProcess.open(setup, stallMs);
      return { judge: (index) => lookAt(deps, judge, test[index] as IndexRow), close: () => judge.close() };
    },
    onSettled: async (index, outcome) => {
      if ('error' in outcome) await hand.leaveOut((test[index] as IndexRow).imageId, outcome.error);
    },
  });
}

/** A fault of the picture or the answer is reported when it is scored. */
async function lookAt({ store }: ActivityDeps, judge: JudgeProcess, row: IndexRow): Promise<void> {
  try {
    await judge.look(await readImage(store, row), row.fileName);
  } catch (error) {
    if (!isFaultOfImage(error) && !isFaultOfAnswer(error)) throw error;
  }
}
