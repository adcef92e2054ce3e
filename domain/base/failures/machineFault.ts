import { PartloopError } from '../errors.js';
import type { FailureCode } from './failure.js';

/** System errors that concern the machine and not the data, with their meaning and a remedy. */
const SYSTEM_ERRORS: Readonly<Record<string, readonly [meaning: string, hint: string]>> = {
  ENOSPC: ['its disk is full', 'Free space there, or set PARTLOOP_HOME to a larger disk.'],
  EDQUOT: ['its disk quota is used up', 'Free space there, or set PARTLOOP_HOME to another disk.'],
  EROFS: ['its disk is read-only', 'Set PARTLOOP_HOME to a folder that takes writes, and look at the disk.'],
  EIO: ['its disk fails', 'Look at the disk; the kernel log says more.'],
  EACCES: ['it refuses access', 'Give the user of the worker access to its folders (PARTLOOP_HOME).'],
  EPERM: ['it refuses access', 'Give the user of the worker access to its folders (PARTLOOP_HOME).'],
  EMFILE: ['too many files are open', 'Raise the limit of open files (ulimit -n).'],
  ENFILE: ['too many files are open', 'Raise the limit of open files of the machine.'],
  ENOMEM: ['it has too little memory', 'End what else runs there, or give it more memory.'],
};

/** Messages of CUDA, PyTorch and ONNX Runtime if a GPU or its driver fails; lack of GPU memory is no such fault. */
const GPU_FAULTS =
  /no CUDA-capable device|CUDA driver (?:version is insufficient|initialization failed)|CUDA unknown error|no NVIDIA driver|CUDA_ERROR_(?:NO_DEVICE|NOT_INITIALIZED|UNKNOWN|ECC_UNCORRECTABLE|SYSTEM_\w+)|CUDA failure (?:3|35|46|100|101|214|719|802|999)\b|uncorrectable ECC|GPU has fallen off the bus|device\(s\) is\/are busy/i;
/** Codes under which a GPU fault may arrive, since its reporter could not know better. */
const MAY_BE_GPU: ReadonlySet<FailureCode> = new Set(['trainer-failed', 'model-invalid', 'internal']);
const DEEPEST_CAUSE = 16;

/**
 * The fault of the machine behind an error at run time: wrong keys, a full disk, a missing Python, a dead GPU. Null if
 * the fault is in the data, in a service or in partloop. A missing part of the set-up is such a fault too: another
 * machine may have it.
 */
export function machineFault(error: unknown): PartloopError | null {
  if (error instanceof PartloopError) {
    if (error.code === 'machine-faulty' || error.code === 'disk-full') return error;
    if (error.code === 'setup-incomplete') return faulty(error.message, error.hint, error);
  }
  const code = error instanceof PartloopError ? error.code : 'internal';
  if (error instanceof Error && MAY_BE_GPU.has(code) && GPU_FAULTS.test(error.message))
    return faulty(`its GPU does not work: ${error.message}`, 'Run nvidia-smi there; often a restart helps.', error);
  if (code !== 'internal' && code !== 'store-unavailable') return null;
  for (let cause = error, depth = 0; cause instanceof Error && depth < DEEPEST_CAUSE; cause = cause.cause, depth++) {
    const [meaning, hint] = ('code' in cause && SYSTEM_ERRORS[String(cause.code)]) || [];
    if (meaning !== undefined) return faulty(`${meaning}: ${cause.message}`, hint, error);
  }
  return null;
}

function faulty(message: string, hint: string | undefined, cause: unknown): PartloopError {
  return new PartloopError('machine-faulty', message, { cause, ...(hint === undefined ? {} : { hint }) });
}
