import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { readIfThere, writeWhole } from '../files.js';
import { homePaths } from '../home.js';
import { processRef } from '../processes/processes.js';
import { portsSchema } from '../services/ports.js';

const supervisedSchema = z.object({
  process: processRef.nullable(),
  /** Times it was started again after it ended by itself. */
  restarts: z.number().int(),
  /** Exit code or signal of its last end, null if it never ended. */
  lastExit: z.string().nullable(),
  /** Reason of its last end, in its own words; null if it never ended or could not tell. */
  lastWords: z
    .object({ code: z.string().nullable(), message: z.string(), hint: z.string().nullable() })
    .nullable()
    .default(null),
});

const stateSchema = z.object({
  version: z.literal(1),
  phase: z.enum(['starting', 'ready', 'stopping', 'stopped', 'failed']),
  failure: z.string().nullable(),
  supervisor: processRef.nullable(),
  /** Remembered after a stop, so that the next start finds the same. */
  ports: portsSchema,
  processes: z.record(z.string(), supervisedSchema),
  /** Digest of the compiled code that the workers run. */
  build: z.string().nullable(),
  startedAt: z.string(),
});

export type StackState = z.infer<typeof stateSchema>;
export type SupervisedState = z.infer<typeof supervisedSchema>;

/** The last written state of the local stack, or null if none was ever started in this home. */
export function readState(home: string): StackState | null {
  const path = homePaths(home).state;
  const text = readIfThere(path);
  if (text === null) return null;
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new PartloopError('data-invalid', `${path} is not a state file of partloop`, {
      cause,
      hint: 'Stop the stack (`partloop down` of the version that wrote it), remove the file and start again. Data and credentials are in other files.',
    });
  }
}

export function writeState(home: string, state: StackState): void {
  writeWhole(homePaths(home).state, `${JSON.stringify(state, null, 2)}\n`);
}
