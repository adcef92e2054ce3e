import type { FailureCode } from '../base/failures/failure.js';

/**
 * The trainer's exits: the table of `trainer/partloop_trainer/process/protocol.py`, with the meaning of each exit here.
 * A test ensures that the two agree.
 */
export const TRAINER_EXITS = {
  done: { exitCode: 0, retry: false, failure: null },
  'job-invalid': { exitCode: 2, retry: false, failure: 'config-invalid' },
  'data-unusable': { exitCode: 3, retry: false, failure: 'data-invalid' },
  'weights-missing': { exitCode: 4, retry: false, failure: 'weights-missing' },
  'checkpoint-incompatible': { exitCode: 5, retry: false, failure: 'checkpoint-incompatible' },
  'loss-not-finite': { exitCode: 6, retry: false, failure: 'training-diverged' },
  'out-of-memory': { exitCode: 7, retry: true, failure: 'out-of-memory' },
  'disk-full': { exitCode: 8, retry: true, failure: 'disk-full' },
  internal: { exitCode: 70, retry: true, failure: 'trainer-failed' },
  stopped: { exitCode: 75, retry: true, failure: 'interrupted' },
} as const satisfies Record<string, { exitCode: number; retry: boolean; failure: FailureCode | null }>;

export type TrainerExitName = keyof typeof TRAINER_EXITS;

/** The name of an exit code; one that is not in the table (a crash, a kill by the kernel) counts as `internal`. */
export function trainerExitName(exitCode: number | null): TrainerExitName {
  for (const name of Object.keys(TRAINER_EXITS) as TrainerExitName[]) {
    if (TRAINER_EXITS[name].exitCode === exitCode) return name;
  }
  return 'internal';
}
