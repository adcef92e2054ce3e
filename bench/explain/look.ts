import { InferenceSession, Tensor } from 'onnxruntime-node';
import { PartloopError } from '../../domain/base/errors.js';
import { decodeForNetwork } from '../../inference/decode.js';

/** The prediction for a picture: per pixel the class, and 255 × its probability. */
export interface Prediction {
  mask: Uint8Array;
  confidence: Uint8Array;
}

/** What a scan network sees in a square picture whose side is that of the network's canvas. */
export async function predictionOf(modelPath: string, bytes: Buffer, side: number): Promise<Prediction> {
  const { rgb } = await decodeForNetwork(bytes, side, modelPath);
  const session = await InferenceSession.create(modelPath, { intraOpNumThreads: 1 });
  try {
    const { mask, p_mask: confidence } = await session.run({
      image: new Tensor('uint8', rgb, [1, side, side, 3]),
      label: new Tensor('uint8', new Uint8Array(side * side), [1, side, side]),
    });
    return { mask: plane(mask, side), confidence: plane(confidence, side) };
  } finally {
    await session.release();
  }
}

function plane(tensor: Tensor | undefined, side: number): Uint8Array {
  const data = tensor?.data;
  if (data instanceof Uint8Array && data.length === side * side) return data;
  throw new PartloopError('internal', `the network gave no raster of ${side} × ${side} pixels`);
}
