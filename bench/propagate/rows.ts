import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { seededRandom } from '../../domain/base/random.js';
import { findingKindSchema } from '../../domain/tables.js';
import { readJsonFile } from '../../formats/reading/jsonFile.js';

/** A finding with a proposal, and what would come of applying it. */
const rowSchema = z.object({
  finding: z.string().min(1).max(64),
  image: z.string().min(1).max(1_024),
  kind: findingKindSchema,
  /** Present and proposed label value. */
  classPair: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
  pModel: z.number().min(0).max(1),
  evidence: z.record(z.string(), z.number()),
  /** Applying the proposal makes the label worse. */
  harmful: z.boolean(),
  /** Wrong pixels of the label that the proposal repairs. */
  wrongArea: z.number().nonnegative(),
});
export type TruthRow = z.infer<typeof rowSchema>;

const fileSchema = z.array(rowSchema).min(2).max(1_000_000);

/**
 * Findings with their truth, from a JSON file with a list of rows.
 *
 * @throws PartloopError `input-invalid` naming the file
 */
export async function readRows(path: string): Promise<TruthRow[]> {
  const parsed = fileSchema.safeParse(await readJsonFile(path));
  if (parsed.success) return parsed.data;
  const detail = z.prettifyError(parsed.error).slice(0, 500);
  throw new PartloopError('input-invalid', `${path} is no list of findings with their truth: ${detail}`);
}

/** What the scores of made-up findings are worth. `right`: every probability is the true one. */
export const SCORES = ['right', 'overconfident', 'useless', 'reversed'] as const;
export type Scores = (typeof SCORES)[number];

const KINDS = ['missing_part', 'wrong_class', 'extra_part'] as const;

/**
 * Made-up findings of 1 to 6 per image. Those of one image are harmful together half of the time, as if one glare had
 * led the model astray.
 */
export function madeRows(scores: Scores, count: number, seed: number): TruthRow[] {
  const random = seededRandom('propagate-rows', scores, seed);
  const rows: TruthRow[] = [];
  for (let image = 0; rows.length < count; image++) {
    const together = 1 + Math.floor(random() * 6);
    const glare = random();
    for (let one = 0; one < together && rows.length < count; one++) {
      const truth = 0.5 + 0.5 * random() ** 0.4;
      const harmful = (random() < 0.5 ? glare : random()) > truth;
      const kind = KINDS[Math.floor(random() * KINDS.length)] ?? 'missing_part';
      const pModel = shown(scores, truth, random);
      rows.push({
        ...{
          finding: `${image}-${one}`,
          image: `${image}`,
          kind,
          classPair: [0, 1 + Math.floor(random() * 8)],
          pModel,
        },
        ...{ evidence: { confidence: Math.min(1, Math.max(0, truth + 0.1 * (random() - 0.5))) }, harmful },
        wrongArea: harmful ? 0 : Math.round(200 + 4_000 * random() ** 3),
      });
    }
  }
  return rows;
}

function shown(scores: Scores, truth: number, random: () => number): number {
  if (scores === 'right') return truth;
  if (scores === 'overconfident') return 1 - (1 - truth) / 5;
  return scores === 'reversed' ? 1.5 - truth : 0.5 + 0.5 * random();
}
