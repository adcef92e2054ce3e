import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { compareAndSwap, type Read } from '../../storage/objects/compareAndSwap.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { parseJson } from '../../storage/tables/json.js';
import { isLate, type Turn, turnSchema } from '../checkpoints/chainState.js';
import type { Commands } from '../trainingRun.js';

/** Time for which a training waits for a worker of its first recipe before it asks a person. */
export const RECIPE_WAIT_MS = 60 * 60_000;

const recipeSchema = z.object({
  /** Raised when changes to the trainer's code give other weights. */
  version: z.number().int().positive(),
  /** Stands for the recipe in the digests of trainings. */
  key: z.string().min(1),
});
export type Recipe = z.infer<typeof recipeSchema>;

/** The recipe that the trainer of this installation declares (`trainer/partloop_trainer/recipe.json`). */
export async function ownRecipe(root: string): Promise<Recipe> {
  const path = join(resolve(root), 'trainer', 'partloop_trainer', 'recipe.json');
  const body = await readFile(path).catch((cause: unknown) => {
    throw new PartloopError('setup-incomplete', `${path} cannot be read`, {
      hint: 'Install partloop again: it is a file of the trainer.',
      cause,
    });
  });
  return parseJson(body, path, recipeSchema);
}

const pinSchema = z.object({
  version: z.literal(1),
  recipe: recipeSchema,
  /**
   * The attempt that may change the pin; it makes each claim a different object, so that an older ETag no longer
   * matches.
   */
  attempt: z.string(),
  /** The request of a person, and the server's attempt, to which the attempt belongs. */
  generation: z.string().nullable().default(null),
  turn: turnSchema.nullable().default(null),
  /** Whether a checkpoint of the recipe is in the store: after that the run keeps to the recipe. */
  kept: z.boolean(),
  /** Time since which workers of other recipes have refused it, and the request. */
  refused: z.object({ generation: z.string(), since: z.string() }).nullable().default(null),
});
type Pin = z.infer<typeof pinSchema>;

/** The recipe that a run keeps to; null for a run without a checkpoint, which any worker may begin. */
export async function pinnedRecipe(store: ObjectStore, key: string): Promise<Recipe | null> {
  const { value: pin } = await read(store, key);
  return pin?.kept === true ? pin.recipe : null;
}

/**
 * The recipe of a run, kept beside its checkpoints by a chain of If-Match writes. A worker of another recipe may take
 * over a run as long as it has no checkpoint; the previous worker learns this at its first checkpoint.
 */
export class RecipePin {
  private constructor(
    private readonly store: ObjectStore,
    private readonly key: string,
    private pin: Pin,
    private etag: string,
  ) {}

  /**
   * Take the run under the recipe of this worker.
   *
   * @throws PartloopError `recipe-mismatch` if it keeps to another one, `fenced` if a newer attempt has it
   */
  static async claim(
    store: ObjectStore,
    key: string,
    { own, attempt, generation, turn, commands, now = Date.now() }: Claim,
  ): Promise<RecipePin> {
    const { result, etag } = await compareAndSwap(store, key, {
      read: () => read(store, key),
      decide: (found) => {
        if (found !== null && isLate({ generation, turn }, found)) throw takenOver(key);
        const kept = found?.kept === true;
        const isOther = kept && found.recipe.version !== own.version;
        const refused = isOther ? refusal(found, generation, now) : null;
        const taken = { version: 1, recipe: own, attempt, generation, turn, kept, refused: null } as const;
        const pin: Pin = isOther ? { ...found, refused } : taken;
        return { body: JSON.stringify(pin), result: { pin, refused } };
      },
    });
    const { pin, refused } = result;
    if (refused !== null) throw mismatch(pin.recipe, own, new Date(refused.since), now, commands);
    return new RecipePin(store, key, pin, etag);
  }

  /**
   * Before the first checkpoint counts: from now on the run keeps to this recipe.
   *
   * @throws PartloopError `fenced` if another attempt took over
   */
  async keep(): Promise<void> {
    if (this.pin.kept) return;
    const pin = { ...this.pin, kept: true };
    const written = await this.store.replace(this.key, JSON.stringify(pin), this.etag);
    if (written === 'conflict') throw takenOver(this.key);
    this.pin = pin;
    this.etag = written.etag;
  }
}

const takenOver = (key: string): PartloopError =>
  new PartloopError('fenced', `another attempt took over ${key}`, {
    hint: 'Nothing to do: the newer attempt goes on.',
  });

interface Claim {
  own: Recipe;
  attempt: string;
  /** The request of a person to which this attempt belongs: each request waits again. */
  generation: string;
  turn: Turn | null;
  commands: Commands;
  now?: number;
}

function refusal({ refused }: Pin, generation: string, now: number): NonNullable<Pin['refused']> {
  return refused?.generation === generation ? refused : { generation, since: new Date(now).toISOString() };
}

function mismatch(wanted: Recipe, own: Recipe, since: Date, now: number, commands: Commands): PartloopError {
  const until = new Date(since.getTime() + RECIPE_WAIT_MS);
  const what = `this training began with recipe ${wanted.version} and has a checkpoint; the trainer of ${hostname()} has recipe ${own.version}`;
  const start = `Start a train worker of a build with recipe ${wanted.version}`;
  const anew = `To train from iteration 0 with recipe ${own.version}: ${commands.anew}.`;
  if (now < until.getTime()) {
    return new PartloopError('recipe-mismatch', what, {
      hint: `It waits for another worker until ${until.toISOString().slice(0, 16)}Z. ${start}. ${anew}`,
    });
  }
  return new PartloopError(
    'checkpoint-incompatible',
    `${what}; no worker of recipe ${wanted.version} has taken it on`,
    {
      hint: `${start}, then ${commands.retry}. ${anew}`,
    },
  );
}

async function read(store: ObjectStore, key: string): Promise<Read<Pin | null>> {
  const object = await store.tryGet(key);
  if (object === null) return { value: null, etag: null };
  return { value: parseJson(object.body, key, pinSchema), etag: object.etag };
}
