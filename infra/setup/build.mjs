import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ROOT, runStep, sha256 } from './shell.mjs';

const DIST = join(ROOT, 'dist');
const STAMP = join(DIST, '.partloop-build.json');
const SOURCE = /\.(ts|tsx)$/;

/** Files below a folder whose name matches. */
function filesBelow(folder, pattern) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesBelow(path, pattern);
    return pattern.test(entry.name) ? [path] : [];
  });
}

function sourceFolders() {
  return JSON.parse(readFileSync(join(ROOT, 'tsconfig.json'), 'utf8')).include;
}

/** Size and time of every source and of what they are compiled with: cheap enough to look at on each start. */
function sourceDigest() {
  const sources = sourceFolders().flatMap((folder) => filesBelow(join(ROOT, folder), SOURCE));
  const all = [...sources, join(ROOT, 'tsconfig.json'), join(ROOT, 'package-lock.json')].sort();
  return sha256(...all.map((path) => [relative(ROOT, path), statSync(path).size, statSync(path).mtimeMs].join(':')));
}

/** What the workflow bundle is made from. */
function bundleDigest() {
  const parts = ['workflows', 'domain'].flatMap((folder) => filesBelow(join(DIST, folder), /\.js$/)).sort();
  return sha256(
    process.versions.node,
    readFileSync(join(ROOT, 'package-lock.json')),
    ...parts.map((path) => readFileSync(path)),
  );
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(STAMP, 'utf8'));
  } catch {
    return {};
  }
}

const mark = (facts) => writeFileSync(STAMP, JSON.stringify({ ...readStamp(), ...facts }));

export const buildIsCurrent = () => readStamp().sources === sourceDigest();

/** Compile to dist/, and drop what a deleted source left there: a stale test or workflow would still run. */
export async function compile() {
  mkdirSync(DIST, { recursive: true });
  const digest = sourceDigest();
  await runStep('tsc', process.execPath, [join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', ROOT]);
  for (const folder of sourceFolders()) {
    for (const path of filesBelow(join(DIST, folder), /\.js(\.map)?$/)) {
      const stem = join(ROOT, relative(DIST, path)).replace(/\.js(\.map)?$/, '');
      if (!existsSync(`${stem}.ts`) && !existsSync(`${stem}.tsx`)) rmSync(path, { force: true });
    }
  }
  const command = join(DIST, 'cli', 'main.js');
  if (existsSync(command)) chmodSync(command, 0o755);
  mark({ sources: digest });
}

export const bundleIsCurrent = () =>
  existsSync(join(DIST, 'workflow-bundle.js')) && readStamp().bundle === bundleDigest();

/** What the board's script and style sheet are made from. */
function boardDigest() {
  const parts = ['board/client', 'domain']
    .flatMap((folder) => filesBelow(join(ROOT, folder), /\.(ts|css|json)$/))
    .sort();
  return sha256(readFileSync(join(ROOT, 'package-lock.json')), ...parts.map((path) => readFileSync(path)));
}

export const boardIsCurrent = () =>
  existsSync(join(DIST, 'assets', 'board', 'review.js')) && readStamp().board === boardDigest();

/** One file for the browser, so that a page asks once. */
export async function bundleBoard() {
  const digest = boardDigest();
  await runStep('Bundling the board', process.execPath, [join(ROOT, 'infra', 'bundleBoard.mjs')]);
  mark({ board: digest });
}

/** Workers then start in a second, and every one of them runs the same workflow code. */
export async function bundle() {
  const digest = bundleDigest();
  await runStep('Bundling the workflows', process.execPath, [join(ROOT, 'infra', 'bundleWorkflows.mjs')]);
  mark({ bundle: digest });
}
