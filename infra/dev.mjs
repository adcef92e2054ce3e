/**
 * `npm run dev`: compile on each change, bundle the workflows where they changed, and restart the workers of the local
 * stack that runs under PARTLOOP_HOME. Its supervisor starts them again half a second after they have drained.
 */
import { spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { bundle, bundleIsCurrent } from './setup/build.mjs';
import { ROOT } from './setup/shell.mjs';

const DIST = join(ROOT, 'dist');
const COMPILED = /Found (\d+) errors?\. Watching for file changes/;

/** What the workers may run, by name and time; tests are not among it. */
const compiled = () =>
  readdirSync(DIST, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.js') && !path.startsWith('test'))
    .map((path) => `${path} ${statSync(join(DIST, path)).mtimeMs}`)
    .sort()
    .join('\n');

async function restartWorkers() {
  const { partloopHome } = await import('../dist/infra/home.js');
  const { runningState } = await import('../dist/infra/environment.js');
  const { signalProcess } = await import('../dist/infra/processes/processes.js');
  const running = Object.entries(runningState(partloopHome())?.processes ?? {});
  const workers = running.filter(([name, { process: worker }]) => name.startsWith('worker-') && worker !== null);
  if (workers.length === 0)
    console.log(`no worker runs under ${partloopHome()}: \`npx partloop up --detach\` starts some`);
  for (const [name, { process: worker }] of workers) {
    signalProcess(worker, 'SIGTERM');
    console.log(`${name} (pid ${worker.pid}) starts again`);
  }
}

/** What is compiled as the workers have it; null before the first time. */
let known = null;

async function afterCompiling() {
  if (!bundleIsCurrent()) {
    await bundle();
    console.log('the workflows are bundled');
  }
  const now = compiled();
  if (known !== null && now !== known) await restartWorkers();
  known = now;
}

const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const watching = spawn(process.execPath, [tsc, '-p', ROOT, '--watch', '--preserveWatchOutput'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
process.on('exit', () => watching.kill());
watching.on('exit', (code) => process.exit(code ?? 1));

for await (const line of createInterface({ input: watching.stdout })) {
  if (line.trim() !== '') console.log(line);
  if (COMPILED.exec(line)?.[1] === '0')
    await afterCompiling().catch((error) => console.error(`${error.message}; the next change tries again`));
}
