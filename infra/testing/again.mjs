import { join, relative, sep } from 'node:path';

/** Folders of `test/` whose tests start whole stacks. */
export const STACK_FOLDERS = ['chaos', 'hosts', 'infra', 'integration', 'rollOut'];

/** Those whose tests start servers and workers: what they see depends on the time of several processes. */
const TIMED_FOLDERS = [...STACK_FOLDERS, 'workflows'];

const isTimed = (root, { file }) =>
  file !== undefined && TIMED_FOLDERS.includes(relative(join(root, 'dist', 'test'), file).split(sep)[0]);

/**
 * Run each test file of servers and workers with a failure a second time, alone. Tests of pure code and properties are
 * never repeated: what fails there once is wrong.
 *
 * @param {string} root of the checkout
 * @param {{ title: string, why: string, file?: string }[]} failures of the full run
 * @param {(file: string) => Promise<boolean>} passesAlone
 * @returns the failures that stay, and those whose file passed alone
 */
export async function settled(root, failures, passesAlone) {
  const passed = new Set();
  for (const file of new Set(failures.filter((one) => isTimed(root, one)).map(({ file }) => file)))
    if (await passesAlone(file)) passed.add(file);
  const isUnsteady = ({ file }) => passed.has(file);
  return { failed: failures.filter((one) => !isUnsteady(one)), unsteady: failures.filter(isUnsteady) };
}

/** An unsteady test as a line to print. */
export const unsteadyText = ({ title, why }) => `unsteady: ${title} failed in the full run and passed alone: ${why}`;
