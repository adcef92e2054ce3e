/** Every error code: whether a retry makes sense, who must act, and the exit code of the command line. */
export const FAILURES = {
  'config-invalid': { retry: false, actor: 'user', exitCode: 2 },
  'input-invalid': { retry: false, actor: 'user', exitCode: 2 },
  refused: { retry: false, actor: 'user', exitCode: 2 },
  'not-found': { retry: false, actor: 'user', exitCode: 3 },
  'pool-exhausted': { retry: false, actor: 'user', exitCode: 3 },
  'data-invalid': { retry: false, actor: 'user', exitCode: 4 },
  'data-changed': { retry: false, actor: 'user', exitCode: 4 },
  'leak-detected': { retry: false, actor: 'user', exitCode: 4 },
  'model-invalid': { retry: false, actor: 'user', exitCode: 4 },
  'answer-invalid': { retry: false, actor: 'user', exitCode: 4 },
  'weights-missing': { retry: false, actor: 'user', exitCode: 4 },
  'checkpoint-incompatible': { retry: false, actor: 'user', exitCode: 4 },
  'training-diverged': { retry: false, actor: 'user', exitCode: 4 },
  'no-progress': { retry: false, actor: 'operator', exitCode: 5 },
  'scan-incomplete': { retry: false, actor: 'operator', exitCode: 5 },
  fenced: { retry: false, actor: 'operator', exitCode: 5 },
  'trainer-failed': { retry: true, actor: 'operator', exitCode: 5 },
  'disk-full': { retry: true, actor: 'operator', exitCode: 5 },
  'out-of-memory': { retry: true, actor: 'operator', exitCode: 5 },
  'recipe-mismatch': { retry: true, actor: 'operator', exitCode: 5 },
  'trainer-stalled': { retry: true, actor: 'operator', exitCode: 5 },
  'inference-stalled': { retry: true, actor: 'operator', exitCode: 5 },
  interrupted: { retry: true, actor: 'operator', exitCode: 5 },
  'store-unavailable': { retry: true, actor: 'operator', exitCode: 6 },
  'store-conflict': { retry: true, actor: 'operator', exitCode: 6 },
  'stack-unavailable': { retry: true, actor: 'operator', exitCode: 6 },
  'setup-incomplete': { retry: false, actor: 'operator', exitCode: 7 },
  'machine-faulty': { retry: true, actor: 'operator', exitCode: 7 },
  internal: { retry: true, actor: 'maintainer', exitCode: 70 },
} as const satisfies Record<string, { retry: boolean; actor: 'user' | 'operator' | 'maintainer'; exitCode: number }>;

export type FailureCode = keyof typeof FAILURES;

/** Codes that Temporal must not retry; an activity's retry policy lists these as non-retryable types. */
export const NON_RETRYABLE_CODES: readonly FailureCode[] = (Object.keys(FAILURES) as FailureCode[]).filter(
  (code) => !FAILURES[code].retry,
);

export function isFailureCode(value: unknown): value is FailureCode {
  return typeof value === 'string' && Object.hasOwn(FAILURES, value);
}
