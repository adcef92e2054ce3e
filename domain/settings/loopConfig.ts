import { PartloopError } from '../base/errors.js';
import { problemText } from '../base/failures/problems.js';
import { knownPart } from '../base/recorded.js';
import { type LoopConfig, loopConfigSchema } from '../config.js';
import { configConflicts } from './configConflicts.js';
import { parseRequest } from './parse.js';
import { mergeSettings, settingsProblems } from './settings.js';

/** The problem of a pool's default settings, in words that name the file; null if there is none. */
export function poolDefaultsProblem(pool: string, defaults: unknown): string | null {
  const file = `pools/${pool}/defaults.json`;
  if (typeof defaults === 'string') return `${file} is not valid: it is not a JSON object (${defaults.slice(0, 40)} …)`;
  const problems = settingsProblems(defaults);
  return problems.length === 0 ? null : `${file} is not valid: ${problems.map(problemText).join('; ')}`;
}

/**
 * A loop's configuration with settings merged over it.
 *
 * @throws PartloopError `input-invalid` naming their problems, alone or together with the rest
 */
export function configWith(config: LoopConfig, settings: Readonly<Record<string, unknown>>): LoopConfig {
  const problems = settingsProblems(settings);
  if (problems.length > 0) {
    throw new PartloopError('input-invalid', `these settings are not valid: ${problems.map(problemText).join('; ')}`, {
      hint: 'docs/config.md lists every setting.',
    });
  }
  assertSamePool(config, settings.pool);
  return wholeConfig(
    mergeSettings(knownPart(loopConfigSchema, config), settings),
    'the loop (its settings and those given together)',
    'Settings that you did not give stay as they are in the loop; `partloop loop status LOOP --json` shows them.',
  );
}

/** Both are complete and from the same schema, which gives their fields one order. */
export const sameConfig = (a: LoopConfig, b: LoopConfig): boolean => JSON.stringify(a) === JSON.stringify(b);

function assertSamePool({ pool }: LoopConfig, other: unknown): void {
  if (other === undefined || other === pool) return;
  throw new PartloopError('input-invalid', `field \`settings.pool\`: the loop draws from pool \`${pool}\``, {
    hint: 'Give a loop over another pool another name.',
  });
}

/**
 * Merged settings, if they are complete and consistent.
 *
 * @throws PartloopError `input-invalid` naming each problem
 */
export function wholeConfig(merged: unknown, what: string, hint: string): LoopConfig {
  const config = parseRequest(loopConfigSchema, merged, what);
  const conflicts = configConflicts(config);
  if (conflicts.length === 0) return config;
  const told = conflicts.map(problemText).join('; ');
  throw new PartloopError('input-invalid', `these settings do not go together: ${told}`, { hint });
}
