import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { connect, storeOf, uiLink } from '../cli/environment.js';
import { watchLoop } from '../cli/loop/loopProgress.js';
import { say } from '../cli/terminal/output.js';
import { counted } from '../domain/base/counted.js';
import { PartloopError } from '../domain/base/errors.js';
import { iterationWorkflowId, loopWorkflowId, scanWorkflowId } from '../domain/base/ids.js';
import type { LoopState } from '../domain/loop/state.js';
import { carParts34 } from '../domain/taxonomies/carParts34.js';
import { readMaskManifest } from '../formats/masks/import.js';
import type { StackEnvironment } from '../infra/environment.js';
import { importImages } from '../pool/import/importImages.js';
import { loopStatus, startLoop } from '../steering/loopClient.js';
import { readLoopState } from '../storage/loopState.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { generateDemo } from './pool.js';
import { DEMO_ITERATIONS, demoRequest } from './settings.js';
import { type DemoSummary, readTruth, summarise } from './summary.js';

export interface DemoOutcome {
  loop: string;
  summary: DemoSummary;
  summaryFile: string;
  reportFile: string | null;
}

/** Generate, import, loop, summarise. After an interruption, another run with the same seed continues where it was. */
export async function runDemo(env: StackEnvironment, seed: number, signal: AbortSignal): Promise<DemoOutcome> {
  const startedAt = Date.now();
  const folder = join(env.home, 'demo', `seed-${seed}`);
  await mkdir(folder, { recursive: true });
  const truthFile = join(folder, 'truth.jsonl');
  say('Rendering labelled cars …');
  const { manifest } = await generateDemo({ dir: join(folder, 'data'), seed, truthFile });
  signal.throwIfAborted();

  const store = storeOf(env);
  const loop = await freeName(store, seed);
  await importPool(store, loop, manifest);
  signal.throwIfAborted();

  const client = await connect(env);
  try {
    await ensureRunning(client, store, env, loop, seed);
    const status = await watchLoop(client, loop, signal);
    const state = await readLoopState(store, loop);
    if (finishedIterations(state) < DEMO_ITERATIONS) {
      throw new PartloopError(
        'internal',
        `the demo's loop ${loop} ended ${status.phase}${status.error === null ? '' : `: ${status.error}`}`,
        {
          hint: `\`npm run demo -- --seed ${seed}\` goes on where it stopped; \`npx partloop iteration show ${loop}\` shows the steps.`,
        },
      );
    }
    const summary = await summarise({
      store,
      state,
      seed,
      truth: await readTruth(truthFile),
      totalSeconds: (Date.now() - startedAt) / 1000,
      scanSeconds: await scanSeconds(client, state),
    });
    return {
      loop,
      summary,
      summaryFile: await writeSummary(env.home, folder, summary),
      reportFile: await fetchReport(store, state, folder),
    };
  } finally {
    await client.connection.close();
  }
}

/** `demo-<seed>`, or the first of `demo-<seed>-2`, … that has not run to its end. */
async function freeName(store: ObjectStore, seed: number): Promise<string> {
  for (let run = 1; ; run++) {
    const name = run === 1 ? `demo-${seed}` : `demo-${seed}-${run}`;
    if (finishedIterations(await readLoopState(store, name)) < DEMO_ITERATIONS) return name;
  }
}

const finishedIterations = (state: LoopState): number =>
  state.iterations.filter(({ current }) => current.status === 'finished').length;

async function importPool(store: ObjectStore, pool: string, manifest: string): Promise<void> {
  // The benchmark belongs to a taxonomy; with its own description each demo has a separate taxonomy, and no model of
  // another demo.
  const taxonomy = { ...carParts34, description: `${carParts34.description} Pool ${pool}.` };
  const report = await importImages(store, pool, taxonomy, readMaskManifest({ manifest }), {
    test: false,
    onProgress: () => {},
    now: new Date(),
  });
  say(
    `Pool ${pool}: ${counted(report.added, 'picture', 'pictures')} added, ${report.known} known already, ${report.refused.length} refused`,
  );
}

/** Start the remaining ones of the three iterations, or join them if they run. */
async function ensureRunning(
  client: Client,
  store: ObjectStore,
  env: StackEnvironment,
  loop: string,
  seed: number,
): Promise<void> {
  const left = DEMO_ITERATIONS - finishedIterations(await readLoopState(store, loop));
  if (await isRunning(client, loop)) say(`Loop ${loop} runs already.`);
  else await startLoop(client, { ...demoRequest(loop, loop, seed), iterations: left });
  const page = uiLink(
    env,
    `/namespaces/${env.temporal.namespace}/workflows/${encodeURIComponent(loopWorkflowId(loop))}`,
  );
  const all = uiLink(env, `/namespaces/${env.temporal.namespace}/workflows`);
  if (page !== null) say('Watch it in the Temporal UI:', `  this loop      ${page}`, `  all workflows  ${all}`);
}

async function isRunning(client: Client, loop: string): Promise<boolean> {
  try {
    return (await loopStatus(client, loop)).phase === 'running';
  } catch (error) {
    if (error instanceof PartloopError && error.code === 'not-found') return false;
    throw error;
  }
}

/** Wall seconds of each iteration's scan workflow, cross-validation included. */
async function scanSeconds(client: Client, state: LoopState): Promise<Map<number, number>> {
  const seconds = new Map<number, number>();
  for (const { iteration } of state.iterations) {
    try {
      const { startTime, closeTime } = await client.workflow
        .getHandle(scanWorkflowId(iterationWorkflowId(state.loop, iteration)))
        .describe();
      if (closeTime !== undefined) seconds.set(iteration, (closeTime.getTime() - startTime.getTime()) / 1000);
    } catch {
      // If the server forgot the workflow, only this figure is lost; the step's own seconds replace it.
    }
  }
  return seconds;
}

async function writeSummary(home: string, folder: string, summary: DemoSummary): Promise<string> {
  const own = join(folder, 'summary.json');
  await writeFile(own, `${JSON.stringify(summary, null, 2)}\n`);
  const latest = join(home, 'demo', 'summary.json');
  await copyFile(own, latest);
  return latest;
}

async function fetchReport(store: ObjectStore, state: LoopState, folder: string): Promise<string | null> {
  const key = state.iterations.at(-1)?.current.results.report?.outputs.report;
  if (key === undefined) return null;
  const file = join(folder, 'report.html');
  await store.getFile(key, file);
  return file;
}
