import { PartloopError } from '../domain/base/errors.js';

/** Aborted by Ctrl-C or SIGTERM, so that a benchmark ends in order and keeps what it trained. */
export function interruption(): AbortSignal {
  const interrupt = new AbortController();
  const stop = (): void =>
    interrupt.abort(new PartloopError('interrupted', 'the benchmark was interrupted; what was trained is kept'));
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return interrupt.signal;
}
