import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { PartloopError } from '../domain/base/errors.js';
import { FAILURES } from '../domain/base/failures/failure.js';
import { readVariables } from '../domain/settings/variables.js';
import { isInsideNetwork } from '../inference/sessions/thread.js';
import { isStalled } from '../inference/watchdog.js';
import { openStore } from '../storage/objects/s3.js';
import { connectClient, storeFromEnvironment, temporalFromEnvironment } from './connections.js';
import { workerLog } from './log.js';
import { ROLE_NAMES, type Role } from './roles.js';
import { runWorkers } from './run.js';

/**
 * `node dist/workers/main.js --role light|scan|train|all`: one worker process; everything it needs is in its
 * environment.
 */
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
const { values } = parseArgs({ options: { role: { type: 'string', default: 'all' } } });
const log = workerLog(values.role);

// Only the owner may read pictures and labels in caches, even if no supervisor started this process.
process.umask(0o077);
try {
  const roles = rolesOf(values.role);
  const store = await storeFromEnvironment(process.env);
  const common = { home: readVariables(process.env).PARTLOOP_HOME ?? join(root, '.partloop'), root };
  const client = await connectClient();
  await runWorkers(roles, {
    deps: { ...common, store: openStore(store), log, client },
    equipment: { ...common, store, client, address: temporalFromEnvironment().connection.address },
  });
  leave(0);
} catch (error) {
  const known = error instanceof PartloopError;
  log.fatal(
    known ? { code: error.code, hint: error.hint } : { err: error },
    error instanceof Error ? error.message : String(error),
  );
  leave(known ? FAILURES[error.code].exitCode : 1, isStalled(error));
}

/** End this process. If a thread hangs in native code, `process.exit` would wait for it forever. */
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
