import { z } from 'zod';
import { counted } from './base/counted.js';

/** An open workflow that a build of the workflows cannot continue. */
export const wouldBreakSchema = z.object({
  workflowId: z.string(),
  runId: z.string(),
  type: z.string(),
  /** The build that ran it last; null if unknown. */
  build: z.string().nullable(),
  /** The event of its history that the build does not reach: `12 ActivityTaskScheduled (draw)`; null if unknown. */
  event: z.string().nullable(),
  /** The build's different command, in Temporal's words. */
  problem: z.string(),
});
export type WouldBreak = z.infer<typeof wouldBreakSchema>;

/** The result of replaying open workflows on a build. */
export const replayReportSchema = z.object({
  /** The build whose own workflows were skipped; null if all were checked. */
  build: z.string().nullable(),
  open: z.number().int().nonnegative(),
  replayed: z.number().int().nonnegative(),
  /** Workflows for which there was no time. */
  left: z.number().int().nonnegative(),
  broken: z.array(wouldBreakSchema),
});
export type ReplayReport = z.infer<typeof replayReportSchema>;

/** What to do about a workflow that would break. */
export const REPLAY_MENDS = [
  'Run the build that began it until it has ended (`loop stop` ends a loop after its iteration), then deploy this one.',
  'Or guard the change in the workflow with `patched()`, so that old histories take the old way.',
  'Or end it (`partloop iteration cancel`, or terminate it in the Web UI), and run `partloop loop retry`: finished steps are kept.',
] as const;

/** One line per workflow. */
export const breakText = ({ workflowId, event, problem }: WouldBreak): string =>
  `${workflowId} breaks at ${event === null ? 'an unknown event' : `event ${event}`}: ${problem}`;

/** One sentence for all of them. */
export const brokenText = ({ broken }: ReplayReport): string =>
  `${counted(broken.length, 'open workflow', 'open workflows')} would get stuck on this build: ${broken.map(breakText).join('; ')}`;
