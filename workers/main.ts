import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { PartloopError } from '../domain/errors.js';
import { readVariables } from '../domain/variables.js';
import { isInsideNetwork } from '../inference/thread.js';
import { isStalled } from '../inference/watchdog.js';
import { connectClient, storeFromEnvironment } from './connections.js';
import { ROLE_NAMES, type Role } from './roles.js';
import { runWorkers } from './run.js';

/** `node dist/workers/main.js --role light|scan|train|all`: one worker process; everything it needs is in its environment. */
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
const { values } = parseArgs({ options: { role: { type: 'string', default: 'all' } } });
const log = pino({ name: `worker-${values.role}` });

// Pictures and labels in caches are the owner's alone, also where no supervisor started this process.
process.umask(0o077);
try {
  const deps = {
    store: storeFromEnvironment(process.env),
    home: readVariables(process.env).PARTLOOP_HOME ?? join(root, '.partloop'),
    root,
    log,
    client: await connectClient(),
  };
  await runWorkers(rolesOf(values.role), deps);
  leave(0);
} catch (error) {
  log.fatal(
    error instanceof PartloopError ? { code: error.code, hint: error.hint } : { err: error },
    error instanceof Error ? error.message : String(error),
  );
  leave(1, isStalled(error));
}

/** End this process. Where a thread hangs in native code `process.exit` would wait for it without end. */
function leave(code: number, hangs = false): void {
  if (!hangs && !isInsideNetwork()) process.exit(code);
  log.fatal('a thread hangs in native code: the process is killed');
  process.kill(process.pid, 'SIGKILL');
}

function rolesOf(asked: string): readonly Role[] {
  if (asked === 'all') return ROLE_NAMES;
  const role = ROLE_NAMES.find((name) => name === asked);
  if (role === undefined)
    throw new PartloopError('input-invalid', `there is no role \`${asked}\`; roles: ${ROLE_NAMES.join(', ')}, all`);
  return [role];
}
