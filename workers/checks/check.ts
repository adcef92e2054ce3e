import type { Client } from '@temporalio/client';
import { PartloopError } from '../../domain/base/errors.js';
import type { StoreOptions } from '../../storage/objects/s3.js';
import { checkStoreWrites } from '../../storage/objects/storeCheck.js';
import type { Role } from '../roles.js';
import { checkHome, checkTools } from './checkMachine.js';
import { checkNamespace } from './checkServices.js';

/** The inputs of a worker of a role. */
export interface Equipment {
  store: StoreOptions;
  client: Client;
  /** Address of the Temporal service, for people. */
  address: string;
  home: string;
  root: string;
}

/**
 * Checks everything that a role needs before it asks for its first task: an incomplete machine would take tasks from
 * others and fail them.
 *
 * @throws PartloopError naming everything that is missing in one sentence, mostly `setup-incomplete`
 */
export async function checkEquipment(role: Role, { store, client, address, home, root }: Equipment): Promise<void> {
  const checks = [
    checkStoreWrites(store),
    checkNamespace(client, address),
    checkHome(role, home),
    checkTools(role, root),
  ];
  const failed = (await Promise.allSettled(checks)).flatMap((check) =>
    check.status === 'rejected' ? [check.reason] : [],
  );
  if (failed.length === 0) return;
  const unexpected = failed.find((error) => !(error instanceof PartloopError));
  if (unexpected !== undefined) throw unexpected;
  throw oneOf(role, failed);
}

/** Several problems as one; an incomplete set-up does not repair itself, so it gives the code. */
function oneOf(role: Role, problems: readonly PartloopError[]): PartloopError {
  const { code } = problems.find((problem) => problem.code === 'setup-incomplete') ?? (problems[0] as PartloopError);
  const hints = problems.flatMap(({ hint }) => hint ?? []);
  return new PartloopError(
    code,
    `this ${role} worker cannot work: ${problems.map(({ message }) => message).join('; ')}`,
    {
      cause: problems[0],
      ...(hints.length === 0 ? {} : { hint: hints.join('\n') }),
    },
  );
}
