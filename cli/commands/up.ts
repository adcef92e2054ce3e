import type { Command } from 'commander';
import { needsLocalStack, resolveEnvironment, runningState, type StackEnvironment } from '../../infra/environment.js';
import { partloopHome } from '../../infra/home.js';
import { FORCE_SIGNAL } from '../../infra/processes.js';
import { LocalStack } from '../../infra/stack.js';
import { openStack } from '../environment.js';
import { ignoreInterrupts } from '../interrupt.js';
import { outliveReaders, say } from '../output.js';

export function register(program: Command): void {
  program
    .command('up')
    .description('start the local stack: Temporal, an S3 server and the workers')
    .option('--detach', 'leave it running in the background')
    .action(async ({ detach = false }: { detach?: boolean }) => {
      if (detach) {
        const environment = await openStack();
        showLinks(environment);
        say('`partloop down` stops it.');
        return;
      }
      await runInForeground();
    });
}

/** Hold the stack until Ctrl-C; a second Ctrl-C ends everything at once. */
async function runInForeground(): Promise<void> {
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
      if (interrupts === 1) say('Stopping; workers save what they have. Ctrl-C again ends everything at once.');
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
  // Nothing else keeps the process alive while every program of the stack waits for its next start.
  const alive = setInterval(() => {}, 60_000);
  try {
    if (await stack.start()) {
      showLinks(await resolveEnvironment());
      say('Ctrl-C stops it.');
    }
    await stopped;
  } finally {
    clearInterval(alive);
  }
}

function showLinks({ temporal, store, home }: StackEnvironment): void {
  const { uiUrl, address, namespace } = temporal;
  say(`Temporal   ${address}, namespace ${namespace}`);
  if (uiUrl !== null) say(`Web UI     ${uiUrl}/namespaces/${namespace}/workflows`);
  say(`Store      ${store.uri}${store.endpoint === null ? '' : ` at ${store.endpoint}`}`);
  say(`State      ${home} (logs in logs/)`);
}
