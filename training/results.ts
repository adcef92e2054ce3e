import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { PartloopError } from '../domain/base/errors.js';
import { sha256Schema } from '../domain/base/ids.js';
import { kindsText } from '../domain/images/leftOut.js';
import type { WorkOf } from '../domain/stepContract.js';
import type { ModelCard } from '../domain/train/modelCard.js';
import type { trainStep } from '../domain/train/step.js';
import type { trialPart } from '../domain/tune/step.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { writeJson } from '../storage/tables/json.js';
import { sha256File } from './files.js';
import type { EndedRun, TrainingRun } from './trainingRun.js';

const iou = z.number().min(0).max(1).nullable();

/** `result.json`, which the trainer writes last: if it exists, everything else is complete. */
const resultSchema = z.object({
  iterations: z.number().int().positive(),
  seconds: z.number().nonnegative(),
  valMiou: iou,
  perClassIou: z.record(z.string(), iou),
  weightsSha256: sha256Schema,
  files: z.record(z.string(), sha256Schema),
});
export type TrainerResult = z.infer<typeof resultSchema>;

/** Read the trainer's results, and check its files against their digests. */
export async function readResult(workDir: string): Promise<TrainerResult> {
  const path = join(workDir, 'result.json');
  const parsed = resultSchema.safeParse(JSON.parse(await readFile(path, 'utf8').catch(() => 'null')));
  if (!parsed.success) {
    throw new PartloopError(
      'trainer-failed',
      `the trainer said that it was done, but ${path} is missing or malformed`,
      {
        hint: 'A retry goes on from the last checkpoint.',
      },
    );
  }
  for (const name of ['model.onnx', 'scan.onnx', 'weights.pt']) {
    const sha256 = await sha256File(join(workDir, name)).catch(() => 'missing');
    if (sha256 !== parsed.data.files[name]) {
      throw new PartloopError(
        'trainer-failed',
        `${join(workDir, name)} is not the file that the trainer wrote (sha256 ${sha256})`,
        {
          hint: 'Is the disk full or failing? A retry goes on from the last checkpoint.',
        },
      );
    }
  }
  return parsed.data;
}

/** `rung.json`, which the trainer writes if it was told to stop before the end. */
const rungSchema = z.object({
  iterations: z.number().int().positive(),
  seconds: z.number().nonnegative(),
  valMiou: iou,
});
type RungResult = z.infer<typeof rungSchema>;

/** Read the results of a run that stopped at a rung; it exports no model. */
async function readRung(workDir: string): Promise<RungResult> {
  const path = join(workDir, 'rung.json');
  const parsed = rungSchema.safeParse(JSON.parse(await readFile(path, 'utf8').catch(() => 'null')));
  if (parsed.success) return parsed.data;
  throw new PartloopError('trainer-failed', `the trainer said that it was done, but ${path} is missing or malformed`, {
    hint: 'A retry goes on from the last checkpoint.',
  });
}

/**
 * Upload a finished run's networks, card, list and log to the attempt's keys, and its weights if the run asks for it.
 */
export async function publishModel(store: ObjectStore, ended: EndedRun): Promise<WorkOf<typeof trainStep>> {
  const { attempt, job, run } = ended;
  const result = await readResult(job.workDir);
  // No other attempt may have taken over by now: only this attempt publishes next.
  await ended.confirm();
  const outputs = {
    model: attempt.key('model.onnx'),
    scan: attempt.key('scan.onnx'),
    card: attempt.key('model.json'),
    log: attempt.key('log.jsonl'),
    trainingList: attempt.key('training-list.json'),
    leftOut: attempt.key('left-out.json'),
  };
  await store.put(outputs.trainingList, JSON.stringify(run.list), 'application/json');
  await writeJson(store, outputs.leftOut, run.leftOut);
  await store.put(outputs.log, ended.log, 'application/x-ndjson');
  await store.putFile(outputs.model, join(job.workDir, 'model.onnx'), 'application/octet-stream');
  await store.putFile(outputs.scan, join(job.workDir, 'scan.onnx'), 'application/octet-stream');
  const weights = run.publishWeights ? { weights: attempt.key('weights.pt') } : {};
  if (weights.weights !== undefined)
    await store.putFile(weights.weights, join(job.workDir, 'weights.pt'), 'application/octet-stream');
  const card = modelCard(ended, result, outputs.trainingList);
  await store.put(outputs.card, JSON.stringify(card, null, 2), 'application/json');
  // A host may be disconnected while it uploads: the next commit must be the lease holder's.
  await ended.confirm();
  return {
    outputs: { ...outputs, ...weights },
    facts: {
      iterations: result.iterations,
      valMiou: result.valMiou,
      weightsSha256: result.weightsSha256,
      loss: ended.loss,
      resumes: ended.resumes,
      ...lostFacts(ended),
      ...leftOutFacts(run),
    },
  };
}

/** Upload the log of a run that stopped at a rung; its checkpoints stay for the next rung. */
export async function publishRung(
  store: ObjectStore,
  ended: EndedRun,
  { trial, rung }: { trial: number; rung: number },
): Promise<WorkOf<typeof trialPart>> {
  const { run, loss, resumes } = ended;
  const { valMiou, iterations } = await readRung(ended.job.workDir);
  await ended.confirm();
  const outputs = { log: ended.attempt.key('log.jsonl'), chain: run.chainKey };
  await store.put(outputs.log, ended.log, 'application/x-ndjson');
  const facts = { trial, rung, valMiou, iterations, loss, resumes, ...lostFacts(ended), ...leftOutFacts(run) };
  return { outputs, facts };
}

/**
 * Number of checkpoints that could no longer be used, and of iterations trained again for that reason; nothing if all
 * could be used.
 */
function lostFacts({ lost }: Pick<EndedRun, 'lost'>): { lostCheckpoints?: number; lostIterations?: number } {
  if (lost.length === 0) return {};
  // Checkpoints skipped together count once, by the newest of them.
  const newest = new Map<number, number>();
  for (const { iteration, resumedFrom } of lost)
    newest.set(resumedFrom, Math.max(iteration, newest.get(resumedFrom) ?? iteration));
  const again = [...newest].reduce((sum, [from, iteration]) => sum + iteration - from, 0);
  return { lostCheckpoints: lost.length, lostIterations: again };
}

/** Number of images on which a run trained, and of those that it left out. */
const leftOutFacts = ({ train, leftOut }: TrainingRun) => ({
  images: train.length,
  leftOut: leftOut.train.length,
  valLeftOut: leftOut.val.length,
  leftOutWhy: kindsText([...leftOut.train, ...leftOut.val]),
});

function modelCard({ job, run }: EndedRun, result: TrainerResult, listKey: string): ModelCard {
  const { background: _, ...classIou } = result.perClassIou;
  return {
    version: 1,
    taxonomyDigest: job.taxonomyDigest,
    classes: job.classes,
    input: { name: 'image', layout: 'NHWC', dtype: 'uint8', size: job.settings.imageSize },
    trainedOn: { list: listKey, digest: job.trainingSetDigest },
    valMiou: result.valMiou,
    valClassIou: classIou,
    weightsSha256: result.weightsSha256,
    files: { model: result.files['model.onnx'] ?? '', scan: result.files['scan.onnx'] ?? '' },
    preset: job.settings.preset,
    imageSize: job.settings.imageSize,
    iterations: result.iterations,
    config: run.config,
    startedFrom: run.warmStart?.weightsSha256 ?? null,
  };
}
