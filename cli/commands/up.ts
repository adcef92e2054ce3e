import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import {
  endText,
  needsLocalStack,
  resolveEnvironment,
  runningState,
  type StackEnvironment,
  stackStatus,
} from '../../infra/environment.js';
import { partloopHome } from '../../infra/home.js';
import { FORCE_SIGNAL } from '../../infra/processes/processes.js';
import { LocalStack } from '../../infra/stack/stack.js';
import { openStack } from '../environment.js';
import { ignoreInterrupts } from '../terminal/interrupt.js';
import { outliveReaders, printJson, say } from '../terminal/output.js';

/**
 * Workers need some seconds for their checks; a first import of PyTorch may take longer, and `up` does not wait for it.
 */
const CHECKS_MS = 12_000;
const CHECKS_POLL_MS = 300;

export function register(program: Command): void {
  program
    .command('up')
    .description('Start the local stack: Temporal, an S3 server and the workers')
    .option('--detach', 'Leave it running in the background')
    .option('--json', 'Print one JSON object on stdout, as soon as everything is ready')
    .action(async ({ detach = false, json = false }: { detach?: boolean; json?: boolean }) => {
      if (!detach) return runInForeground(json);
      const environment = await openStack();
      showLinks(environment);
      await tellUnfitWorkers();
      say('`partloop down` stops it.');
      if (json) printLinks(environment);
    });
}

/** Hold the stack until Ctrl-C; a second Ctrl-C ends everything at once. */
async function runInForeground(json: boolean): Promise<void> {
  ignoreInterrupts();
  outliveReaders();
  say(
    needsLocalStack() ? 'Starting the local stack …' : 'Starting workers for the services that the environment names …',
  );
  if (runningState(partloopHome())?.phase === 'stopping') {
    say('The stack is stopping; it starts again when its workers have saved …');
  }
  const stack = new LocalStack(partloopHome());
  let interrupts = 0;
  const stopped = new Promise<void>((done, failed) => {
    const stop = (): void => void stack.stop().then(done, failed);
    const interrupt = (): void => {
      interrupts += 1;
      if (interrupts === 1) say('Stopping; workers save their work. Ctrl-C again ends everything at once.');
      stop();
      if (interrupts > 1) stack.force();
    };
    process.on('SIGINT', interrupt);
    process.on('SIGTERM', stop);
    process.on('SIGHUP', stop);
    process.on(FORCE_SIGNAL, () => {
      stop();
      stack.force();
    });
  });
  // Keeps the process alive while every program of the stack waits for its next start.
  const alive = setInterval(() => {}, 60_000);
  try {
    if (await stack.start()) {
      const environment = await resolveEnvironment();
      showLinks(environment);
      say('Ctrl-C stops it.');
      void tellUnfitWorkers().catch(() => undefined);
      if (json) printLinks(environment);
    }
    await stopped;
  } finally {
    clearInterval(alive);
  }
}

/** Wait some time until every worker has passed its checks, and report why one does not run. */
async function tellUnfitWorkers(): Promise<void> {
  const told = new Set<string>();
  const deadline = performance.now() + CHECKS_MS;
  for (;;) {
    const { processes } = runningState(partloopHome()) ?? {};
    const workers = Object.entries(processes ?? {}).filter(([name]) => name.startsWith('worker-'));
    for (const [name, { lastWords }] of workers) {
      if (lastWords === null || told.has(name)) continue;
      told.add(name);
      say(endText(name, lastWords));
    }
    const open = workers.filter(([name]) => !told.has(name));
    if (open.length === 0 || performance.now() > deadline) return;
    const { processes: seen } = await stackStatus();
    const polls = new Set(seen.filter(({ worker }) => worker?.does === 'polls').map(({ name }) => name));
    if (open.every(([name]) => polls.has(name))) return;
    await sleep(CHECKS_POLL_MS);
  }
}

/** The addresses of everything, without credentials. */
function printLinks({ temporal, store: { uri, endpoint, region }, home, board }: StackEnvironment): void {
  printJson({ home, temporal, store: { uri, endpoint, region }, board });
}

function showLinks({ temporal, store, home, board }: StackEnvironment): void {
  const { uiUrl, address, namespace } = temporal;
  say(`Temporal   ${address}, namespace ${namespace}`);
  if (uiUrl !== null) say(`Web UI     ${uiUrl}/namespaces/${namespace}/workflows`);
  if (board !== null) say(`Board      ${board}/`);
  say(`Store      ${store.uri}${store.endpoint === null ? '' : ` at ${store.endpoint}`}`);
  say(`State      ${home} (logs in logs/)`);
}
