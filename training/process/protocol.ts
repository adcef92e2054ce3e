import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { sha256Schema } from '../../domain/base/ids.js';

/**
 * The only version of the trainer's protocol that this code understands
 * (`trainer/partloop_trainer/process/protocol.py`).
 */
const PROTOCOL_VERSION = 1;
/** A line longer than this is no message; it must not fill the memory. */
export const MAX_LINE_CHARS = 1_000_000;

const count = z.number().int().nonnegative();

const messageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('started'), iterations: count, resumedFrom: count.nullable() }),
  z.object({
    type: z.literal('progress'),
    iteration: count,
    loss: z.number(),
    lr: z.number(),
    secondsPerIteration: z.number().nonnegative(),
    etaSeconds: z.number().nonnegative(),
  }),
  z.object({
    type: z.literal('checkpoint'),
    iteration: count,
    path: z.string().regex(/^[\w./-]+$/),
    sha256: sha256Schema,
  }),
  z.object({ type: z.literal('warning'), code: z.string(), message: z.string() }),
  z.object({ type: z.literal('metrics'), valMiou: z.number().nullable() }),
  z.object({ type: z.literal('exported'), sha256: sha256Schema, scanSha256: sha256Schema, maxAbsDiff: z.number() }),
  z.object({
    type: z.literal('lr-range'),
    suggestedLrHead: z.number().positive().nullable(),
    /** Head rate and smoothed loss of each step. */
    points: z.array(z.tuple([z.number().positive(), z.number()])),
  }),
  z.object({ type: z.literal('proposal'), params: z.record(z.string(), z.union([z.number(), z.string()])) }),
  z.object({ type: z.literal('done'), iterations: count, seconds: z.number() }),
  z.object({
    type: z.literal('error'),
    code: z.string(),
    message: z.string(),
    hint: z.string(),
    /** Images that cannot be used, if they ended the run. */
    images: z.array(z.object({ imageId: z.string(), reason: z.string() })).default([]),
  }),
]);
export type TrainerMessage = z.infer<typeof messageSchema>;
export type ErrorMessage = Extract<TrainerMessage, { type: 'error' }>;

const envelopeSchema = z.object({ v: z.number(), type: z.string() });
const KNOWN_TYPES = new Set<string>(messageSchema.options.map((option) => option.shape.type.value));

/**
 * One line of the trainer's stdout. null for a line that is no message: a library's print, a line torn by a kill, a
 * kind of message of a newer trainer. Another protocol version, or a known message with wrong fields, is an error.
 */
export function parseMessage(line: string): TrainerMessage | null {
  if (!line.startsWith('{')) return null;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  const envelope = envelopeSchema.safeParse(value);
  if (!envelope.success) return null;
  if (envelope.data.v !== PROTOCOL_VERSION) {
    throw new PartloopError(
      'setup-incomplete',
      `the trainer speaks protocol version ${envelope.data.v}, this partloop speaks ${PROTOCOL_VERSION}`,
      {
        hint: 'Install the trainer of this version: `npm run bootstrap`.',
      },
    );
  }
  if (!KNOWN_TYPES.has(envelope.data.type)) return null;
  const message = messageSchema.safeParse(value);
  if (message.success) return message.data;
  throw new PartloopError(
    'trainer-failed',
    `the trainer sent a malformed \`${envelope.data.type}\` message: ${z.prettifyError(message.error)}`,
    {
      hint: 'Trainer and partloop do not match; run `npm run bootstrap`.',
    },
  );
}

/** Splits a stream of text into lines; bounds the memory of an endless line. */
export class LineSplitter {
  private rest = '';

  constructor(
    private readonly onLine: (line: string) => void,
    private readonly maxChars = MAX_LINE_CHARS,
  ) {}

  push(text: string): void {
    const parts = (this.rest + text).split('\n');
    this.rest = parts.pop() ?? '';
    for (const line of parts) this.onLine(line);
    if (this.rest.length > this.maxChars) {
      throw new PartloopError('trainer-failed', `the trainer wrote a line of more than ${this.maxChars} characters`, {
        hint: 'Something in the trainer prints to stdout, which belongs to its protocol.',
      });
    }
  }
}
