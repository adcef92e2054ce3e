import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { seededRandom } from '../../domain/base/random.js';
import { analyseImage, analyseWithInjection } from '../../domain/scan/index.js';
import { answerFault } from '../answer.js';
import type { ThreadAnswer, ThreadJob, ThreadSetup } from './scanMessages.js';

/**
 * A thread with one ONNX Runtime session. `run()` blocks its thread, so sessions and mask analysis live here. Ending a
 * thread or the process inside `run()` aborts the process, so a `stop` message ends it after the picture in hand.
 */
const setup = workerData as ThreadSetup;
const port = parentPort;
if (port === null) throw new Error('scanThread runs in a worker thread only');
const answer = (message: ThreadAnswer): void => port.postMessage(message);

/** Longest side in pixels of the grid on which labels are compared. */
const LABEL_SIDE = 256;

/** Messages are processed one after the other. */
let queue: Promise<void> = Promise.resolve();

try {
  const session = await InferenceSession.create(setup.modelPath, {
    // The CPU runs nodes for which the provider has no kernel; a missing provider is an error.
    executionProviders: [setup.provider ?? 'cpu'],
    intraOpNumThreads: setup.threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  for (const name of ['image', 'label'])
    if (!session.inputNames.includes(name)) throw new Error(`it has no input \`${name}\``);
  for (const name of ['mask', 'p_mask', 'p_label'])
    if (!session.outputNames.includes(name)) throw new Error(`it has no output \`${name}\``);
  const size = canvasSize(session);
  const labelSize = labelGrid(session, size);
  const shared = new SharedArrayBuffer(size * size * 3);
  const network = {
    session,
    size,
    labelSize,
    shared: new Uint8Array(shared),
    canvas: new Uint8Array(shared.byteLength),
  };
  port.on('message', (message: ThreadJob | 'stop') => {
    queue = queue.then(() => (message === 'stop' ? end(session) : work(network, message)));
  });
  answer({ type: 'ready', size, labelSize, canvas: shared });
} catch (error) {
  answer({ type: 'refused', message: error instanceof Error ? error.message : String(error) });
  port.close();
}

interface Network {
  session: InferenceSession;
  size: number;
  labelSize: number;
  /** Memory to which the pool writes the picture. */
  shared: Uint8Array;
  /** Memory that ONNX Runtime reads, since it refuses shared memory. */
  canvas: Uint8Array;
}

async function work({ session, size, labelSize, shared, canvas }: Network, job: ThreadJob): Promise<void> {
  const { id, question } = job;
  try {
    // The network's output has the label's grid.
    const side = question === null ? size : labelSize;
    canvas.set(shared);
    const output = await session.run({
      image: new Tensor('uint8', canvas, [1, size, size, 3]),
      label: new Tensor('uint8', question?.label ?? new Uint8Array(side * side), [1, side, side]),
    });
    const mask = plane(output.mask, side, 'mask');
    const pMask = plane(output.p_mask, side, 'p_mask');
    const { width, height } = question ?? job;
    const fault = answerFault({ mask, pMask, side, width, height }, setup.taxonomy.classes.length);
    if (fault !== null) return answer({ type: 'unusable', id, message: fault });
    if (question === null) {
      const surest = pMask.reduce((a, b) => Math.max(a, b), 0);
      return answer({ type: 'mask', id, mask, pMask, surest });
    }
    const input = {
      size: side,
      validWidth: question.width,
      validHeight: question.height,
      label: question.label,
      mask,
      pMask,
      pLabel: plane(output.p_label, side, 'p_label'),
    };
    const { tags, injectSeed } = question;
    const analysis =
      injectSeed === null
        ? analyseImage(input, setup.taxonomy, tags)
        : analyseWithInjection(input, setup.taxonomy, tags, seededRandom(injectSeed));
    answer({ type: 'analysis', id, analysis });
  } catch (error) {
    answer({ type: 'failed', id, message: error instanceof Error ? error.message : String(error) });
  }
}

/** S of the input [N, S, S, 3]; bounded, since a model file is untrusted. */
function canvasSize(session: InferenceSession): number {
  const metadata = session.inputMetadata.find((input) => input.name === 'image');
  if (metadata === undefined || !metadata.isTensor || metadata.type !== 'uint8')
    throw new Error('its input `image` is not a uint8 tensor');
  const [, height, width, channels] = metadata.shape;
  if (typeof height !== 'number' || height !== width || channels !== 3 || height < 32 || height > 4_096) {
    throw new Error(
      `its input \`image\` has shape [${metadata.shape.join(', ')}], not [N, S, S, 3] with S from 32 to 4096`,
    );
  }
  return height;
}

/**
 * Side of the grid on which a label is compared with the prediction. The network's stride is 4: more pixels than
 * `LABEL_SIDE` cost time in the analysis and add nothing. A graph may fix its label's sides to the canvas.
 */
function labelGrid(session: InferenceSession, size: number): number {
  const metadata = session.inputMetadata.find((input) => input.name === 'label');
  const [, height, width] = metadata?.isTensor === true ? metadata.shape : [];
  if (typeof height !== 'number' && typeof width !== 'number') return Math.min(size, LABEL_SIDE);
  if (height !== size || width !== size)
    throw new Error(`its input \`label\` is ${height} × ${width}, neither open nor the image's ${size} × ${size}`);
  return size;
}

function plane(tensor: Tensor | undefined, size: number, name: string): Uint8Array {
  const data = tensor?.data;
  if (!(data instanceof Uint8Array) || data.length !== size * size)
    throw new Error(`output \`${name}\` is not uint8 [1, ${size}, ${size}]`);
  return data;
}

async function end(session: InferenceSession): Promise<void> {
  await session.release();
  port?.close();
}
