import { EXIT_INTERRUPTED, EXIT_TERMINATED, printError, sayLast, sayNow } from './output.js';

/** Information for a person who ends a command: finished work, and what to do. */
export type Parting = () => readonly string[];

interface Scope {
  parting: Parting;
  /** Ends the work in good order; without it the process ends at once. */
  stop: (() => void) | null;
}

const EXIT_CODES = { SIGINT: EXIT_INTERRUPTED, SIGTERM: EXIT_TERMINATED } as const;

const scopes: Scope[] = [{ parting: () => ['Interrupted.'], stop: null }];
let asksJson = false;
let asked = 0;

const onSignal = (signal: keyof typeof EXIT_CODES): void => {
  asked += 1;
  const scope = scopes.at(-1);
  if (scope?.stop != null && asked === 1) {
    scope.stop();
    return;
  }
  part(scope?.parting() ?? [], EXIT_CODES[signal]);
};

/**
 * Answer Ctrl-C for as long as the command runs. By `on`, not `once`: a library that finds itself the only listener
 * ends the process before anything is printed.
 */
export function answerInterrupts({ json }: { json: boolean }): void {
  asksJson = json;
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
}

/** For a command with its own answer to signals. */
export function ignoreInterrupts(): void {
  process.off('SIGINT', onSignal);
  process.off('SIGTERM', onSignal);
}

/** Do work that a person may end: Ctrl-C says `parting` and ends the process. */
export async function interruptible<T>(parting: Parting, work: () => Promise<T>): Promise<T> {
  return within({ parting, stop: null }, work);
}

/** The same for work that must clean up: it gets the signal, and a second Ctrl-C ends it at once. */
export async function stoppable<T>(parting: Parting, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  const stop = (): void => {
    sayNow('Stopping … Ctrl-C again ends it at once.');
    abort.abort();
  };
  try {
    return await within({ parting, stop }, () => work(abort.signal));
  } catch (error) {
    if (abort.signal.aborted) part(parting(), EXIT_INTERRUPTED);
    throw error;
  }
}

async function within<T>(scope: Scope, work: () => Promise<T>): Promise<T> {
  scopes.push(scope);
  try {
    return await work();
  } finally {
    scopes.splice(scopes.indexOf(scope), 1);
  }
}

function part(lines: readonly string[], exitCode: number): never {
  sayLast(...lines);
  if (asksJson) printError({ code: 'interrupted', message: lines.join(' '), hint: null }, exitCode);
  process.exit(exitCode);
}
