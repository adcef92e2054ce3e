import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PartloopError } from '../../domain/base/errors.js';
import { Choices } from './source.js';
import { CaseFolder, type Target } from './target.js';
import { TARGETS } from './targets/index.js';

/** A case that takes longer is a failure; most take milliseconds. */
export const MAX_CASE_MS = 5_000;
/** So is one that raises the peak memory of the process further. */
export const MAX_CASE_MB = 1_024;
/** Nobody reads a longer error. */
const MAX_MESSAGE = 20_000;

export interface Failure {
  target: string;
  number: number;
  reason: string;
  /** The files of the case, base64 by name. */
  files: Record<string, string>;
}

export interface CaseResult {
  target: string;
  number: number;
  /** The result: a word of the target, or the code of its error. */
  outcome: string;
  ms: number;
  failure: Failure | null;
}

/** The target of a case: its number says which, by the targets' shares. The same for every seed. */
export function targetOf(number: number, only: string | null): Target {
  const targets = only === null ? TARGETS : TARGETS.filter(({ name }) => name === only);
  const shares = targets.reduce((sum, { share }) => sum + share, 0);
  let place = new Choices('target', number).below(shares);
  for (const target of targets) {
    if (place < target.share) return target;
    place -= target.share;
  }
  throw new PartloopError('input-invalid', `there is no target \`${only}\``, {
    hint: `Targets: ${TARGETS.map(({ name }) => name).join(', ')}.`,
  });
}

export interface CaseOptions {
  /** Keep the folder of the case. */
  keep?: boolean;
  /** A case that takes too long or too much memory is a failure, but only if nothing else runs in the process. */
  bounded?: boolean;
}

/** Run one case in a folder of its own. */
export async function runCase(
  seed: number,
  number: number,
  only: string | null,
  { keep = false, bounded = false }: CaseOptions = {},
): Promise<CaseResult & { folder: string }> {
  const target = targetOf(number, only);
  const folder = new CaseFolder(await mkdtemp(join(tmpdir(), 'partloop-fuzz-')));
  const peak = process.resourceUsage().maxRSS;
  const began = performance.now();
  let outcome = 'failed';
  let reason: string | null = null;
  try {
    outcome = await target.run(new Choices(seed, target.name, number), folder);
  } catch (error) {
    if (!(error instanceof PartloopError))
      reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    else if (error.message.length > MAX_MESSAGE) reason = `an error of ${error.message.length} letters`;
    else outcome = error.code;
  }
  const ms = performance.now() - began;
  const grown = (process.resourceUsage().maxRSS - peak) / 1_024;
  if (bounded && ms > MAX_CASE_MS) reason ??= `took ${(ms / 1_000).toFixed(1)} s`;
  if (bounded && grown > MAX_CASE_MB) reason ??= `took ${Math.round(grown)} MB`;
  reason ??= pollution();
  const failure = reason === null ? null : { target: target.name, number, reason, files: encoded(folder.files) };
  if (!keep) await rm(folder.path, { recursive: true, force: true });
  return {
    target: target.name,
    number,
    outcome: reason === null ? outcome : 'failed',
    ms,
    failure,
    folder: folder.path,
  };
}

/** Something of the input that reached all objects. */
function pollution(): string | null {
  const strange = Object.keys(Object.prototype);
  for (const name of strange) Reflect.deleteProperty(Object.prototype, name);
  return strange.length === 0 ? null : `Object.prototype has got ${strange.join(', ')}`;
}

function encoded(files: ReadonlyMap<string, Uint8Array>): Record<string, string> {
  return Object.fromEntries([...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]));
}
