import { z } from 'zod';

/** What may be deleted, by kind, with what it is. */
export const GARBAGE = {
  checkpoints: 'checkpoints and their logs of trainings that are done',
  lostAttempts: 'files of attempts at a step that another attempt finished',
  abandonedAttempts: 'files of attempts at steps that nobody finished',
  shards: 'what judges said of each image, of scans that are done (with --shards)',
  evaluations: 'tables and notes of models that are gone',
  copies: 'reduced pictures and labels of a size that no loop trains on (with --copies)',
  uploads: 'parts of uploads that nobody ended',
} as const;
export type Kind = keyof typeof GARBAGE;
export const KINDS = [
  'checkpoints',
  'lostAttempts',
  'abandonedAttempts',
  'shards',
  'evaluations',
  'copies',
  'uploads',
] as const satisfies Kind[];

export const amountSchema = z.object({
  kind: z.enum(KINDS),
  objects: z.number().int().nonnegative(),
  bytes: z.number().nonnegative(),
});
/** Objects of one kind. */
export type Amount = z.infer<typeof amountSchema>;

/** The sum of a kind over amounts of several kinds. */
export function totalOf(kind: Kind, amounts: readonly Amount[]): Amount {
  const own = amounts.filter((amount) => amount.kind === kind);
  const sum = (of: 'objects' | 'bytes'): number => own.reduce((so, amount) => so + amount[of], 0);
  return { kind, objects: sum('objects'), bytes: sum('bytes') };
}
