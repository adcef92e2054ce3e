import type { Fault, FaultKind } from './fault.js';
import { restartFault, signalFaults } from './signals.js';
import { diskFaults, objectFaults, storeFaults } from './store.js';
import { startFaults, workflowFaults } from './workflows.js';

const ALL: readonly Fault[] = [
  ...signalFaults,
  ...storeFaults,
  ...diskFaults,
  ...objectFaults,
  ...workflowFaults,
  ...startFaults,
  ...startFaults,
  restartFault,
];

/** Every fault of these kinds. */
export const faultsOf = (kinds: readonly FaultKind[]): Fault[] => ALL.filter(({ kind }) => kinds.includes(kind));

/** The fault of this kind at this target. */
export function faultOf(kind: FaultKind, target: string): Fault {
  const found = ALL.find((fault) => fault.kind === kind && fault.target === target);
  if (found === undefined) throw new Error(`there is no fault ${kind} of ${target}`);
  return found;
}
