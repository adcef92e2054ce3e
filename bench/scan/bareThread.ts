import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { bareSetupSchema } from './bare.js';

/** One session that runs on the same tensors for so many seconds, after a warm-up. */
const { modelPath, size, threads, batch, seconds } = bareSetupSchema.parse(workerData);
const session = await InferenceSession.create(modelPath, {
  executionProviders: ['cpu'],
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  graphOptimizationLevel: 'all',
});
// The same label grid as the scan's, so that both run the same graph.
const side = Math.min(size, 256);
const feeds = {
  image: new Tensor(
    'uint8',
    Uint8Array.from({ length: batch * size * size * 3 }, (_, index) => (index * 31) & 255),
    [batch, size, size, 3],
  ),
  label: new Tensor('uint8', new Uint8Array(batch * side * side), [batch, side, side]),
};
for (let warm = 0; warm < 3; warm++) await session.run(feeds);
const start = performance.now();
let images = 0;
while (performance.now() - start < seconds * 1_000) {
  await session.run(feeds);
  images += batch;
}
parentPort?.postMessage({ images, seconds: (performance.now() - start) / 1_000 });
await session.release();
