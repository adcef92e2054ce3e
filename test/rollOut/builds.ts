import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../support/binaries.js';
import { run } from '../support/models/tinyModel.js';

/** An installation of partloop in a folder of its own. */
export interface Build {
  root: string;
}

/** The build that is tested. */
export const THIS_BUILD: Build = { root: ROOT };

/** The files that a running stack needs, besides the packages, which builds share. */
const PARTS = ['dist', 'infra', 'trainer', 'package.json', 'package-lock.json'] as const;
const PACKAGES = ['node_modules', '.venv'] as const;
/** Not a part of what is installed, or made anew for each build. */
const LEFT_OUT = /\/(dist\/(test|bench|demo)|trainer\/tests|__pycache__|\.[a-z]+_cache)$|\.(map|tsbuildinfo)$/;

/** One more step of an iteration: an activity before the one that is named, behind a patch unless it was forgotten. */
export interface ExtraStep {
  before: 'sample' | 'evaluate';
  patch: string | null;
}

/**
 * Install this build in another folder, with more steps in the workflow of iterations and, as most next builds have,
 * another comment in the sources of the trainer.
 */
export async function nextBuild(root: string, steps: readonly ExtraStep[]): Promise<Build> {
  await mkdir(root, { recursive: true });
  for (const part of PARTS)
    await cp(join(ROOT, part), join(root, part), { recursive: true, filter: (path) => !LEFT_OUT.test(path) });
  for (const packages of PACKAGES) await symlink(join(ROOT, packages), join(root, packages));
  await change(join(root, 'dist', 'workflows', 'loopIteration.js'), (text) => steps.reduce(withStep, text));
  await change(join(root, TRAINER_SOURCE), (text) => `${text}# A later build says more here.\n`);
  // Distinguishes builds; the set-up writes it after compiling.
  await writeFile(join(root, 'dist', '.partloop-build.json'), JSON.stringify({ sources: root }));
  await run(process.execPath, [join(root, 'infra', 'bundleWorkflows.mjs')]);
  return { root };
}

const TRAINER_SOURCE = join('trainer', 'partloop_trainer', 'train.py');

function withStep(text: string, { before, patch }: ExtraStep): string {
  const place = `await run.step('${before}',`;
  const work = 'await light.poolVersion({ pool: config.pool });';
  const guarded = patch === null ? work : `if (patched('${patch}')) ${work}`;
  const changed = text.replace(place, `${guarded}\n${place}`);
  if (changed === text) throw new Error(`the workflow has no ${place}`);
  return changed;
}

async function change(path: string, edit: (text: string) => string): Promise<void> {
  await writeFile(path, edit(await readFile(path, 'utf8')));
}
