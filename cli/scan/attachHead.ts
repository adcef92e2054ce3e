import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { idsAt, rowsWhere, splitAt } from '../../domain/draw/drawColumns.js';
import { parseRequest } from '../../domain/settings/parse.js';
import { labelNames } from '../../domain/taxonomy.js';
import { type ModelCard, modelCardSchema } from '../../domain/train/modelCard.js';
import { logitsOfLabels, userModelSchema } from '../../domain/userModel.js';
import { padImage } from '../../inference/letterbox.js';
import { sampleOrder, samplePictures } from '../../inference/samplePictures.js';
import { ROOT } from '../../infra/home.js';
import { digestOf, digestOfTaxonomy } from '../../storage/digest.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { Pool } from '../../storage/pool/pool.js';
import { trainerPython } from '../../training/process/process.js';
import { say } from '../terminal/output.js';

const run = promisify(execFile);
const TIMEOUT_MS = 10 * 60_000;

export interface ForeignModel {
  /** The ONNX file as it was given. */
  file: string;
  /** The scan.onnx to write. */
  out: string;
  /** Folder for temporary files. */
  folder: string;
  /** The content and the place of its model.json. */
  description: unknown;
  place: string;
}

/**
 * Give a network that partloop did not train the scan's head. It is tried on pictures of the pool first, since a head
 * hides NaN and probabilities taken for logits; suspicious signs are only reported.
 *
 * @throws PartloopError `model-invalid` with the network's output and the required one
 */
export async function attachHead(
  store: ObjectStore,
  pool: Pool,
  { file, out, folder, description, place }: ForeignModel,
): Promise<ModelCard> {
  const model = parseRequest(userModelSchema, description, place);
  const { classes, classMap: _, ...how } = model;
  const spec = join(folder, 'spec.json');
  const sources = logitsOfLabels(model, pool.taxonomy);
  await writeFile(spec, JSON.stringify({ ...how, names: classes, sources }));
  const pictures = await writePictures(store, pool, model.size, join(folder, 'pictures.raw'));
  const args = ['-m', 'partloop_trainer', 'attach-head', '--model', file, '--spec', spec, '--out', out];
  try {
    const { stdout } = await run(
      await trainerPython(ROOT),
      pictures === null ? args : [...args, '--pictures', pictures],
      {
        env: { PATH: process.env.PATH, HOME: folder, PYTHONPATH: join(ROOT, 'trainer') },
        timeout: TIMEOUT_MS,
      },
    );
    for (const { message } of messagesOf(stdout, 'warning')) say(`warning: ${message}`);
  } catch (cause) {
    throw attachError(file, cause);
  }
  const digest = await sha256(out);
  return modelCardSchema.parse({
    version: 1,
    taxonomyDigest: digestOfTaxonomy(pool.taxonomy),
    classes: labelNames(pool.taxonomy),
    input: { name: 'image', layout: 'NHWC', dtype: 'uint8', size: model.size },
    trainedOn: { list: null, digest: digestOf([]) },
    valMiou: null,
    valClassIou: {},
    weightsSha256: digest,
    files: { model: await sha256(file), scan: digest },
    preset: 'given',
    imageSize: model.size,
    iterations: 1,
  });
}

/** Pictures of the pool on their canvases in a row, as the network will see them; null if none can be read. */
async function writePictures(store: ObjectStore, pool: Pool, size: number, path: string): Promise<string | null> {
  const version = await pool.latestVersion();
  const index = await pool.readDrawColumns(version);
  const order = sampleOrder([...rowsWhere(index, (row) => splitAt(index, row) === 'train')]);
  const found = await pool.readImages(version, idsAt(index, Int32Array.from(order)));
  const byId = new Map(found.map((row) => [row.imageId, row]));
  const rows = order.flatMap((row) => byId.get(index.ids.at(row)) ?? []);
  const pictures = await samplePictures(store, rows, size);
  if (pictures.length === 0) return null;
  const canvases = pictures.map(({ rgb, width, height }) => padImage(rgb, width, height, size));
  await writeFile(path, Buffer.concat(canvases));
  return path;
}

/** The trainer's messages on its output: one JSON object per line, between prints of libraries. */
function messagesOf(stdout: string, type: 'error' | 'warning'): { message: string; hint?: string | undefined }[] {
  const lineSchema = z.looseObject({ type: z.literal(type), message: z.string(), hint: z.string().optional() });
  return stdout.split('\n').flatMap((line) => {
    try {
      const parsed = lineSchema.safeParse(JSON.parse(line));
      return parsed.success ? [parsed.data] : [];
    } catch {
      return [];
    }
  });
}

/** The trainer's own error, if it could report one; a network that ends its process leaves none. */
function attachError(file: string, cause: unknown): PartloopError {
  const endSchema = z.looseObject({
    stdout: z.string(),
    stderr: z.string(),
    signal: z.string().nullable(),
    killed: z.boolean(),
  });
  const { stdout, stderr, signal, killed } = endSchema
    .catch({ stdout: '', stderr: String(cause), signal: null, killed: false })
    .parse(cause);
  const [said] = messagesOf(stdout, 'error');
  if (said !== undefined)
    return new PartloopError('model-invalid', said.message, { cause, ...(said.hint ? { hint: said.hint } : {}) });
  if (killed) {
    return new PartloopError(
      'model-invalid',
      `${file} gave no answer for a picture within ${TIMEOUT_MS / 60_000} min`,
      {
        hint: 'Try it on one picture with ONNX Runtime: a loop in it may never end.',
        cause,
      },
    );
  }
  if (signal !== null) {
    return new PartloopError('model-invalid', `${file} ended the process that tried it (${signal})`, {
      hint: 'SIGKILL mostly means too little memory: lower `size`. Otherwise export the model again; ONNX Runtime crashes in it.',
      cause,
    });
  }
  return new PartloopError('model-invalid', `the scan head could not be attached: ${stderr.slice(-500)}`, { cause });
}

async function sha256(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}
