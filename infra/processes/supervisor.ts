import { PartloopError } from '../../domain/base/errors.js';
import { partloopHome } from '../home.js';
import { AlreadyRunningError, LocalStack } from '../stack/stack.js';
import { ALREADY_RUNNING_EXIT_CODE } from './launch.js';
import { FORCE_SIGNAL } from './processes.js';

/**
 * `node dist/infra/processes/supervisor.js`: holds the local stack until SIGTERM or SIGINT, which only ask it to stop,
 * even if repeated; the force signal ends everything at once. `partloop up --detach` leaves only this process behind.
 */
const stack = new LocalStack(partloopHome());

async function end(): Promise<void> {
  await stack.stop();
  process.exit(0);
}

process.on('SIGTERM', () => void end());
process.on('SIGINT', () => void end());
process.on(FORCE_SIGNAL, () => {
  void end();
  stack.force();
});
process.on('SIGHUP', () => {});

// Keeps the process alive while every program of the stack waits for its next start.
setInterval(() => {}, 60_000);
try {
  if (!(await stack.start())) await end();
} catch (error) {
  if (error instanceof AlreadyRunningError) process.exit(ALREADY_RUNNING_EXIT_CODE);
  process.stderr.write(
    `${error instanceof PartloopError ? error.message : String(error instanceof Error ? error.stack : error)}\n`,
  );
  process.exit(1);
}
