import { InvalidArgumentError } from 'commander';
import { PartloopError } from '../domain/errors.js';
import { own } from '../domain/own.js';

/** A number on the command line. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError(`\`${text}\` is not a number.`);
  return value;
}

/** `['scan.quarantineAt=0.6']` -> `{ settings: { scan: { quarantineAt: 0.6 } } }`; values are JSON where they parse as such. */
export function settingsFrom(set: unknown): { settings?: Record<string, unknown> } {
  if (!Array.isArray(set)) return {};
  const settings: Record<string, unknown> = {};
  for (const entry of set.map(String)) {
    const [path, ...rest] = entry.split('=');
    const fields = (path ?? '').split('.');
    const last = fields.pop();
    if (
      rest.length === 0 ||
      !last ||
      last === '__proto__' ||
      fields.some((field) => field === '' || field === '__proto__')
    ) {
      throw new PartloopError('input-invalid', `--set ${entry}: expected path=value`, {
        hint: 'docs/config.md lists the paths.',
      });
    }
    let place = settings;
    for (const field of fields) {
      const inner = own(place, field);
      const next = typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {};
      place[field] = next;
      place = next;
    }
    place[last] = jsonOrText(rest.join('='));
  }
  return { settings };
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
