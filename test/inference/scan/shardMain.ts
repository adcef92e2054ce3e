import { pino } from 'pino';
import { PartloopError } from '../../../domain/base/errors.js';
import { evaluateModel } from '../../../inference/evaluation/evaluateModel.js';
import { scanShard } from '../../../inference/scan/judgeShard.js';
import type { ScanSetup } from '../../../inference/scan/scanSetup.js';
import { openStore, type StoreOptions } from '../../../storage/objects/s3.js';

/**
 * One attempt at a shard, or at scoring its model on the test images, in a process of its own, as a worker would make
 * it. It writes its failure to stdout as JSON; if a thread hangs, it ends as a worker does.
 */
const { store, home, input, modelDigest } = JSON.parse(process.argv[2] ?? '') as {
  store: StoreOptions;
  home: string;
  input: ScanSetup & { shard: number };
  /** Given, the model is scored. */
  modelDigest?: string;
};
let retired = false;
const deps = {
  store: openStore(store),
  home,
  root: '.',
  log: pino({ level: 'silent' }),
  retire: () => {
    retired = true;
  },
};
const { config } = input.context;
const { signal } = new AbortController();
const test = { pool: 'cars', poolVersion: 1, scanKey: 'models/scan.onnx', size: 64, config, signal };
try {
  if (modelDigest === undefined) await scanShard(deps, input);
  else await evaluateModel(deps, { ...test, modelDigest });
  process.exit(0);
} catch (error) {
  const { code, message } = error instanceof PartloopError ? error : { code: 'unknown', message: String(error) };
  process.stdout.write(JSON.stringify({ code, message, retired }), () => process.kill(process.pid, 'SIGKILL'));
}
