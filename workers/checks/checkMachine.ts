import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { readVariables } from '../../domain/settings/variables.js';
import { checkRuntime } from '../../inference/runtimeCheck.js';
import { trainerPython } from '../../training/process/process.js';
import type { Role } from '../roles.js';

/** Gigabytes below the home that a role needs to begin: for notes, for models and pictures, for a checkpoint. */
const DISK_GB: Readonly<Record<Role, number>> = { light: 0.1, scan: 0.5, train: 1 };
/** A first import of PyTorch from a slow disk takes a minute. */
const PYTHON_MS = 180_000;
const PROBE = `
import json, msgspec, torch, torchvision, timm, numpy, partloop_trainer
print(json.dumps({"torch": torch.__version__, "gpus": torch.cuda.device_count() if torch.cuda.is_available() else 0}))`;
const probeSchema = z.object({ torch: z.string(), gpus: z.number() });
const run = promisify(execFile);

/** Checks that the home is writable and has room for the role's files. */
export async function checkHome(role: Role, home: string): Promise<void> {
  const probe = join(home, `.probe-${randomUUID()}`);
  try {
    await mkdir(home, { recursive: true });
    await writeFile(probe, 'probe');
  } catch (cause) {
    throw new PartloopError('setup-incomplete', `${home} does not take files: ${reasonOf(cause)}`, {
      cause,
      hint: 'Set PARTLOOP_HOME to a folder that the user of the worker may write, on a disk with room.',
    });
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
  }
  const { bavail, bsize } = await statfs(home);
  const free = (bavail * bsize) / 1e9;
  if (free >= DISK_GB[role]) return;
  throw new PartloopError(
    'setup-incomplete',
    `the disk of ${home} has ${free.toFixed(2)} GB free, and a ${role} worker needs at least ${DISK_GB[role]} GB`,
    { hint: 'Free space there, or set PARTLOOP_HOME to a larger disk.' },
  );
}

/** Checks the role's computing parts: Python and PyTorch for training, ONNX Runtime and the decoder for scans. */
export async function checkTools(role: Role, root: string): Promise<void> {
  const needsGpu = readVariables(process.env).PARTLOOP_REQUIRE_GPU !== undefined;
  if (role === 'scan') await checkRuntime(needsGpu);
  if (role === 'train') await checkTrainer(root, needsGpu);
}

async function checkTrainer(root: string, needsGpu: boolean): Promise<void> {
  const python = await trainerPython(root);
  let said: string;
  try {
    const env = { ...process.env, PYTHONPATH: join(root, 'trainer') };
    said = (await run(python, ['-c', PROBE], { timeout: PYTHON_MS, env })).stdout;
  } catch (cause) {
    throw new PartloopError('setup-incomplete', `${python} cannot load the trainer: ${reasonOf(cause)}`, {
      cause,
      hint: 'Run `npm run bootstrap`, which installs what it needs.',
    });
  }
  const { torch, gpus } = probeSchema.parse(JSON.parse(said.trim().split('\n').at(-1) ?? ''));
  if (!needsGpu || gpus > 0) return;
  throw new PartloopError('setup-incomplete', `PyTorch ${torch} finds no GPU, and PARTLOOP_REQUIRE_GPU asks for one`, {
    hint: 'Run nvidia-smi; a CPU build (`+cpu`) needs `PARTLOOP_TORCH=default npm run bootstrap`.',
  });
}

/** The last line with content; of a Python trace that is the error. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const stderr = 'stderr' in cause ? String(cause.stderr).trim() : '';
  // For a program that ends without output, the message would be the program's text.
  if ('stderr' in cause && stderr === '' && 'code' in cause && typeof cause.code === 'number')
    return `it ends with exit code ${cause.code} and says nothing`;
  const text = stderr === '' ? cause.message : stderr;
  return text.trim().split('\n').at(-1) ?? text;
}
