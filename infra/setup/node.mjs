import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, runStep, SetupError } from './shell.mjs';

const OLDEST_NODE = 20;

export function checkNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < OLDEST_NODE) {
    throw new SetupError(
      `Node ${process.versions.node} is too old: install Node ${OLDEST_NODE} or newer (nodejs.org) and run the same command again.`,
    );
  }
}

/** Whether `node_modules` holds exactly what the lock file names (npm's own record of the tree says so). */
export function nodeModulesAreCurrent() {
  const record = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const wanted = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  const present = JSON.parse(readFileSync(record, 'utf8')).packages;
  const isHere = (path) => present[path]?.version === wanted[path].version;
  return (
    Object.keys(wanted).every((path) => path === '' || wanted[path].optional || wanted[path].link || isHere(path)) &&
    Object.keys(present).every((path) => wanted[path] !== undefined)
  );
}

/** Install scripts stay off: one of them (onnxruntime-node's) downloads what a CPU run does not need. */
export async function installNodeModules() {
  await runStep('npm ci', 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    shell: process.platform === 'win32',
  });
}
