import { iterationLabel } from '../domain/base/ids.js';

/** Every S3 key of partloop, relative to the store's prefix, is made here and nowhere else. */
export const keys = {
  poolPrefix: (pool: string) => `pools/${pool}/`,
  taxonomy: (pool: string) => `pools/${pool}/taxonomy.json`,
  poolDefaults: (pool: string) => `pools/${pool}/defaults.json`,
  catalogPrefix: (pool: string) => `pools/${pool}/catalog/`,
  catalog: (pool: string, version: number) => `pools/${pool}/catalog/${String(version).padStart(8, '0')}.json`,
  segmentPrefix: (pool: string) => `pools/${pool}/segments/`,
  segment: (pool: string, sha256: string) => `pools/${pool}/segments/${sha256}.parquet`,
  image: (pool: string, sha256: string) => `pools/${pool}/images/${sha256}`,
  label: (pool: string, sha256: string) => `pools/${pool}/labels/${sha256}`,
  reviewsPrefix: (pool: string) => `pools/${pool}/reviews/`,
  /** An import of reviews, or its undo, one answer per line; files are only ever added. */
  reviews: (pool: string, ulid: string) => `${keys.reviewsPrefix(pool)}${ulid}.jsonl`,
  /** Draws of findings for reviewers, whose answers decide on corrections of similar findings. */
  roundsPrefix: (pool: string) => `pools/${pool}/propagate/`,
  roundPrefix: (pool: string, scan: string) => `${keys.roundsPrefix(pool)}${scan}/`,
  round: (pool: string, scan: string, number: number) =>
    `${keys.roundPrefix(pool, scan)}${String(number).padStart(4, '0')}.json`,
  /** The corrections that a scan writes by itself after a round; there before the first of them is written. */
  roundPlan: (pool: string, scan: string, number: number) =>
    `${keys.roundPrefix(pool, scan)}${String(number).padStart(4, '0')}.plan`,
  /** There once nothing more follows from a round by itself. */
  roundDone: (pool: string, scan: string, number: number) =>
    `${keys.roundPrefix(pool, scan)}${String(number).padStart(4, '0')}.done`,
  /** Answers of reviewers on the board, in batches that can change until they are handed in as a review import. */
  boardBatchPrefix: (pool: string) => `pools/${pool}/board/batches/`,
  boardBatch: (pool: string, ulid: string) => `${keys.boardBatchPrefix(pool)}${ulid}.json`,
  /** The findings of a scan that sessions have on their screens. */
  boardLeases: (pool: string, scan: string) => `pools/${pool}/board/leases/${scan}.json`,
  /** The same for images of the scan's audit sample. */
  boardAuditLeases: (pool: string, scan: string) => `pools/${pool}/board/leases/audit/${scan}.json`,
  /** Labels that reviewers drew, and those that they drew upon, by digest. */
  boardLabel: (pool: string, sha256: string) => `pools/${pool}/board/labels/${sha256}`,
  derivativePrefix: (pool: string) => `pools/${pool}/derivatives/`,
  /** Upright copies reduced to at most `maxSide` pixels, by digest of their source. */
  derivativeImage: (pool: string, maxSide: number, sha256: string) =>
    `pools/${pool}/derivatives/${maxSide}/images/${sha256}`,
  derivativeLabel: (pool: string, maxSide: number, sha256: string) =>
    `pools/${pool}/derivatives/${maxSide}/labels/${sha256}`,
  /** Exists while a pool is being deleted: its rest is no pool, and no pool is made in its place. */
  poolDeletion: (pool: string) => `pools/${pool}/deletion.json`,
  /** Where clients put drops for a pool; a drop's marker is written last. */
  inbox: (pool: string) => `inbox/${pool}/`,
  drop: (pool: string, drop: string) => `inbox/${pool}/${drop}/`,
  /** What the operator of a pool says of its drops. */
  ingestRules: (pool: string) => `pools/${pool}/ingest/rules.json`,
  dropState: (pool: string, drop: string) => `pools/${pool}/ingest/drops/${drop}.json`,
  receiptPrefix: (pool: string) => `pools/${pool}/ingest/receipts/`,
  receipt: (pool: string, arrival: string) => `${keys.receiptPrefix(pool)}${arrival}.json`,
  /** The documents of a drop as they came: annotations, manifest, tags, removal requests. */
  receivedPrefix: (pool: string) => `pools/${pool}/ingest/received/`,
  received: (pool: string, arrival: string, path: string) => `${keys.receivedPrefix(pool)}${arrival}/${path}`,
  /** What an arrival under way has settled, and what goes once its receipt is written. */
  ingestWork: (pool: string, arrival: string) => `pools/${pool}/ingest/settling/${arrival}/`,
  /** Files of a drop that were not taken, under their paths, each with its reason in `<path>.reason.json`. */
  rejectedPrefix: (pool: string) => `rejected/${pool}/`,
  rejected: (pool: string, drop: string, arrival: string) => `rejected/${pool}/${drop}/${arrival}/`,
  loopPrefix: (loop: string) => `loops/${loop}/`,
  loopState: (loop: string) => `loops/${loop}/state.json`,
  stepPrefix: (loop: string, iteration: number, step: string, digest: string) =>
    `loops/${loop}/iterations/${iterationLabel(iteration)}/${step}/${digest}/`,
  commit: (loop: string, iteration: number, step: string, digest: string) =>
    `${keys.stepPrefix(loop, iteration, step, digest)}commit.json`,
  attempt: (loop: string, iteration: number, step: string, digest: string, attempt: string, file: string) =>
    `${keys.stepPrefix(loop, iteration, step, digest)}${attempt}/${file}`,
  /** The trainer's lease and the pointer to its newest checkpoint: a chain of If-Match writes. */
  checkpointChain: (loop: string, iteration: number, step: string, digest: string) =>
    `${keys.stepPrefix(loop, iteration, step, digest)}latest.json`,
  /** The recipe of the trainer to which a run keeps, by its training input. */
  recipePin: (loop: string, iteration: number, step: string, digest: string) =>
    `loops/${loop}/iterations/${iterationLabel(iteration)}/recipes/${step}/${digest}.json`,
  /** The images that the trainings on one set leave out, decided once. */
  leftOut: (loop: string, iteration: number, digest: string) =>
    `loops/${loop}/iterations/${iterationLabel(iteration)}/left-out/${digest}/images.json`,
  /** State that others may change, as a step of the iteration found it; kept for a repetition of the step. */
  pin: (loop: string, iteration: number, name: string, digest: string) =>
    `loops/${loop}/iterations/${iterationLabel(iteration)}/pins/${name}/${digest}.json`,
  /** There once a webhook took a message, about an iteration or about the whole store. */
  notification: (loop: string | null, iteration: number | null, event: string, id: string) =>
    loop === null || iteration === null
      ? `notifications/${event}-${id}.json`
      : `loops/${loop}/notifications/${iterationLabel(iteration)}/${event}-${id}.json`,
  evaluationsOf: (modelDigest: string) => `evaluations/${modelDigest}/`,
  evaluationInHand: (modelDigest: string) => `evaluations/${modelDigest}/in-hand.json`,
  /** The same for evaluations that people ask for: they may run beside one of a loop. */
  askedInHand: (modelDigest: string) => `evaluations/${modelDigest}/asked/in-hand.json`,
  /** One model on one test version, counted on one grid by one way of counting. */
  evaluation: (modelDigest: string, testVersion: string, size: number, counting: number) =>
    `evaluations/${modelDigest}/${testVersion}/${size}/v${counting}/`,
  /** One evaluation among those at `place`, under a fresh name. */
  keptEvaluation: (place: string, ulid: string) => `${place}${ulid}/`,
  scanPrefix: (scan: string) => `scans/${scan}/`,
  /** What a scan that belongs to no loop found, made once at its end. */
  scan: (scan: string) => `scans/${scan}/commit.json`,
  /** A file of the model that a person gave to a scan. */
  scanModel: (scan: string, file: string) => `scans/${scan}/model/${file}`,
  registryPrefix: 'registry/',
  benchmark: (taxonomyDigest: string) => `registry/${taxonomyDigest}/benchmark.json`,
} as const;

/** A file with its digest in the commit of its folder. */
export interface CommittedFile {
  /** Key of the commit. */
  commit: string;
  /** The attempt of the file; null if a folder has only one. */
  attempt: string | null;
  /** Its name in the commit. */
  file: string;
  /** The iteration's step that wrote it; null for an evaluation, which belongs to a model. */
  of: { loop: string; iteration: number; step: string } | null;
}

const ATTEMPT = /^(loops\/([^/]+)\/iterations\/(\d+)\/([^/]+)\/[0-9a-f]{64}\/)([0-9a-f-]{36})\/(.+)$/;
const EVALUATION = /^(evaluations\/[^/]+\/[^/]+\/\d+\/v\d+\/[0-9A-Z]{26}\/)([^/]+)$/;

/** The place of the digest of the object `key`; null for objects that no step wrote. */
export function committedFile(key: string): CommittedFile | null {
  const [, folder, loop, iteration, step, attempt, file] = ATTEMPT.exec(key) ?? [];
  if (folder !== undefined && loop !== undefined && step !== undefined && attempt !== undefined && file !== undefined)
    return { commit: `${folder}commit.json`, attempt, file, of: { loop, iteration: Number(iteration), step } };
  const [, place, name] = EVALUATION.exec(key) ?? [];
  if (place === undefined || name === undefined || name === 'commit.json') return null;
  return { commit: `${place}commit.json`, attempt: null, file: name, of: null };
}
