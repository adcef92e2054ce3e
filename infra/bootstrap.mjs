/**
 * The whole set-up in one command: `npm run bootstrap`. Plain Node with no dependency, so that it runs on a fresh
 * clone.
 *
 * Each step looks first whether there is anything to do, so a second run takes well under a second. What is missing on
 * the machine ends the run with one sentence that says what to install or change.
 */
import { statfsSync } from 'node:fs';
import { boardIsCurrent, buildIsCurrent, bundle, bundleBoard, bundleIsCurrent, compile } from './setup/build.mjs';
import { checkNode, installNodeModules, nodeModulesAreCurrent } from './setup/node.mjs';
import {
  chooseFlavour,
  findPython,
  hasUv,
  installTrainer,
  makeVenv,
  syncVenv,
  trainerIsCurrent,
  venvIsCurrent,
} from './setup/python.mjs';
import { ROOT, SetupError } from './setup/shell.mjs';

/** Free space that the packages take, in GB, with what uv keeps beside them. */
const SPACE_NEEDED = { cpu: 2.5, default: 8 };

const say = (text) => process.stderr.write(`${text}\n`);

async function step(what, work) {
  process.stderr.write(`${what} … `);
  const start = performance.now();
  const note = await work();
  say(`${((performance.now() - start) / 1000).toFixed(1)} s${note === undefined ? '' : ` (${note})`}`);
}

function checkSpace(needed, what) {
  const { bavail, bsize } = statfsSync(ROOT);
  const free = (bavail * bsize) / 1e9;
  if (free < needed) {
    throw new SetupError(
      `${what} needs about ${needed} GB and ${ROOT} has ${free.toFixed(1)} GB free: free some disk space and run the same command again.`,
    );
  }
}

async function setUpPython() {
  if (!venvIsCurrent()) {
    const python = findPython();
    const flavour = await chooseFlavour(python);
    checkSpace(SPACE_NEEDED[flavour], flavour === 'cpu' ? 'PyTorch for CPU' : 'PyTorch with CUDA');
    if (!hasUv()) await step(`Making .venv with Python ${python.version.join('.')} and uv`, () => makeVenv(python));
    await step(`Installing Python packages (PyTorch: ${flavour} build)`, () => syncWithFallback(flavour));
  }
  if (!trainerIsCurrent()) await step('Installing trainer/', installTrainer);
}

/** A CPU index that answers but cannot serve what the lock names must not stop a set-up that works without it. */
async function syncWithFallback(flavour) {
  try {
    await syncVenv(flavour);
  } catch (error) {
    if (flavour !== 'cpu') throw error;
    checkSpace(SPACE_NEEDED.default, 'PyTorch with CUDA');
    await syncVenv('default');
    return 'the CPU build could not be installed, so the default one was';
  }
}

try {
  const start = performance.now();
  checkNode();
  if (!nodeModulesAreCurrent()) await step('Installing Node packages', installNodeModules);
  await setUpPython();
  if (!buildIsCurrent()) await step('Compiling', compile);
  if (!bundleIsCurrent()) await step('Bundling the workflows', bundle);
  if (!boardIsCurrent()) await step('Bundling the board', bundleBoard);
  say(`Set-up is complete (${((performance.now() - start) / 1000).toFixed(1)} s).`);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(`\n${error.message}`);
  process.exitCode = 1;
}
