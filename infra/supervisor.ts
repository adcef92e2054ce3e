import { PartloopError } from '../domain/errors.js';
import { partloopHome } from './home.js';
import { ALREADY_RUNNING_EXIT_CODE } from './launch.js';
import { AlreadyRunningError, LocalStack } from './stack.js';

/**
 * `node dist/infra/supervisor.js`: holds the local stack until SIGTERM or SIGINT; a second signal ends everything at
 * once. It is what `partloop up --detach` leaves behind, and all it leaves behind.
 */
let stack: LocalStack | null = null;
let asked = 0;

function stop(): void {
  asked += 1;
  if (asked > 1) stack?.force();
  else if (stack !== null) void end(stack);
}

async function end(running: LocalStack): Promise<void> {
  await running.stop();
  process.exit(0);
}

process.on('SIGTERM', stop);
process.on('SIGINT', stop);
process.on('SIGHUP', () => {});

// Nothing else keeps the process alive while every program of the stack waits for its next start.
setInterval(() => {}, 60_000);
try {
  stack = await LocalStack.start(partloopHome());
  if (asked > 0) await end(stack);
} catch (error) {
  if (error instanceof AlreadyRunningError) process.exit(ALREADY_RUNNING_EXIT_CODE);
  process.stderr.write(
    `${error instanceof PartloopError ? error.message : String(error instanceof Error ? error.stack : error)}\n`,
  );
  process.exit(1);
}
