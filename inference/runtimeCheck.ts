import { PartloopError } from '../domain/base/errors.js';

/**
 * Checks that ONNX Runtime and the picture decoder load on this machine, with CUDA if a GPU is asked for.
 *
 * @throws PartloopError `setup-incomplete`
 */
export async function checkRuntime(needsGpu: boolean): Promise<void> {
  const { listSupportedBackends } = await loaded('ONNX Runtime', () => import('onnxruntime-node'));
  const { default: sharp } = await loaded('sharp', () => import('sharp'));
  const dot = { create: { width: 1, height: 1, channels: 3, background: 'black' } } as const;
  await loaded('sharp', () => sharp(dot).png().toBuffer());
  if (!needsGpu || listSupportedBackends().some(({ name, bundled }) => name === 'cuda' && bundled)) return;
  throw new PartloopError(
    'setup-incomplete',
    'ONNX Runtime has no CUDA libraries, and PARTLOOP_REQUIRE_GPU asks for a GPU',
    { hint: 'Allow the install script of onnxruntime-node, which fetches them.' },
  );
}

async function loaded<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new PartloopError('setup-incomplete', `${name} does not load: ${reason}`, {
      cause,
      hint: 'Run `npm ci`, or `npm run bootstrap`, on this machine.',
    });
  }
}
