import { z } from 'zod';

const RECEIPTS_KEPT = 50;

/** Where a drop stands between two looks at it. One object per drop, changed by conditional writes. */
export const dropStateSchema = z.object({
  version: z.literal(1),
  drop: z.string(),
  /** The arrival under way, or the last one. */
  arrival: z.string(),
  /** open: to be read, or waiting for files; clearing: its receipt is written, its files go; done: they are gone. */
  phase: z.enum(['open', 'clearing', 'done']),
  /** When its marker was first seen. */
  since: z.string(),
  /** What was read last, if files that it names were not there. */
  incomplete: z.object({ digest: z.string(), missing: z.number().int(), examples: z.array(z.string()) }).nullable(),
  /** Earlier arrivals that were taken, the newest last. */
  taken: z.array(z.object({ arrival: z.string(), digest: z.string() })),
});
export type DropState = z.infer<typeof dropStateSchema>;

/** A drop whose marker is seen for the first time, or again after it was done. */
export const arrived = (before: DropState | null, drop: string, arrival: string, now: Date): DropState => ({
  ...{ version: 1, drop, arrival, phase: 'open', since: now.toISOString(), incomplete: null },
  taken: before?.taken ?? [],
});

/** Its receipt is written: what is pinned of it may go. */
export const settled = (state: DropState, digest: string, wasTaken: boolean): DropState => ({
  ...{ ...state, phase: 'clearing', incomplete: null },
  taken: wasTaken ? [...state.taken, { arrival: state.arrival, digest }].slice(-RECEIPTS_KEPT) : state.taken,
});

/** The earlier arrival that brought the very same files under the same rules; null if none did. */
export const sameBefore = (state: DropState, digest: string): string | null =>
  state.taken.find((one) => one.digest === digest)?.arrival ?? null;

/** Until when a drop waits for what it names and lacks, in milliseconds since 1970. */
export const waitsUntil = ({ since }: DropState, waitHours: number): number =>
  Date.parse(since) + waitHours * 3_600_000;
