import { committedFile } from '../../storage/keys.js';
import type { ObjectFacts } from '../../storage/objects/objectStore.js';

/** A file that an attempt at a step wrote. */
export interface AttemptFile {
  facts: ObjectFacts;
  attempt: string;
  /** Its name in the attempt's folder. */
  file: string;
}

/** The folder of one digest of a step. */
export interface StepFolder {
  prefix: string;
  iteration: number;
  step: string;
  /** null while the step is not done. */
  commit: ObjectFacts | null;
  /** The lease and pointer of a training's checkpoints. */
  chain: ObjectFacts | null;
  files: AttemptFile[];
}

const MARKER = /^(loops\/[^/]+\/iterations\/(\d+)\/([^/]+)\/[0-9a-f]{64}\/)(commit|latest)\.json$/;

/** The folders of steps among a loop's objects. Pins, recipes and the loop's record lie in none. */
export function stepFolders(objects: readonly ObjectFacts[]): StepFolder[] {
  const folders = new Map<string, StepFolder>();
  const folderOf = (prefix: string, iteration: number, step: string): StepFolder => {
    const known = folders.get(prefix);
    if (known !== undefined) return known;
    const made = { prefix, iteration, step, commit: null, chain: null, files: [] };
    folders.set(prefix, made);
    return made;
  };
  for (const facts of objects) {
    const [, prefix, iteration, step, marker] = MARKER.exec(facts.key) ?? [];
    if (prefix !== undefined && step !== undefined) {
      const folder = folderOf(prefix, Number(iteration), step);
      if (marker === 'commit') folder.commit = facts;
      else folder.chain = facts;
      continue;
    }
    const place = committedFile(facts.key);
    if (place?.of == null || place.attempt === null) continue;
    const { attempt, file, of } = place;
    folderOf(place.commit.replace(/[^/]*$/, ''), of.iteration, of.step).files.push({ facts, attempt, file });
  }
  return [...folders.values()];
}
