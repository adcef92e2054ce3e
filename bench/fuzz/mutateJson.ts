import { NUMBERS, nasty, withOwn } from './nasty.js';
import type { Choices } from './source.js';

type Path = readonly (string | number)[];

/** Largest number of places of a value that are considered. */
const PLACES = 5_000;

/** A copy of a JSON value with one to four changes anywhere; values that are not JSON are dropped when written. */
export function mutateJson(value: unknown, choices: Choices): unknown {
  let changed = value;
  for (let rounds = 1 + choices.below(choices.chance(0.3) ? 4 : 1); rounds > 0; rounds--) {
    const path = choices.pick(places(changed));
    changed = replaceAt(changed, path, (old) => mutated(old, choices, changed));
  }
  return changed;
}

/** Paths of the value and of all that is in it. */
function places(value: unknown): Path[] {
  const found: Path[] = [[]];
  const open: [Path, unknown][] = [[[], value]];
  for (let next = open.pop(); next !== undefined && found.length < PLACES; next = open.pop()) {
    const [path, inner] = next;
    if (typeof inner !== 'object' || inner === null) continue;
    for (const [key, entry] of Object.entries(inner)) {
      const below = [...path, Array.isArray(inner) ? Number(key) : key];
      found.push(below);
      // Deep nests would make paths of quadratic size.
      if (below.length < 20) open.push([below, entry]);
    }
  }
  return found;
}

function replaceAt(value: unknown, [key, ...rest]: Path, change: (old: unknown) => unknown): unknown {
  if (key === undefined) return change(value);
  if (Array.isArray(value)) return value.map((entry, at) => (at === key ? replaceAt(entry, rest, change) : entry));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, entry]) => [
    name,
    name === key ? replaceAt(entry, rest, change) : entry,
  ]);
  return Object.fromEntries(entries);
}

function mutated(old: unknown, choices: Choices, whole: unknown): unknown {
  if (choices.chance(0.3)) return nasty(choices);
  if (choices.chance(0.1)) return anywhere(whole, choices);
  if (typeof old === 'number') return number(old, choices);
  if (typeof old === 'string') return text(old, choices);
  if (Array.isArray(old)) return list(old, choices);
  if (typeof old === 'object' && old !== null) return record(old, choices);
  return nasty(choices);
}

/** A piece of the value from elsewhere in it. */
function anywhere(whole: unknown, choices: Choices): unknown {
  let value = whole;
  for (const key of choices.pick(places(whole))) {
    if (typeof value !== 'object' || value === null) return value;
    value = Object.entries(value).find(([name]) => name === String(key))?.[1];
  }
  return value;
}

function number(old: number, choices: Choices): unknown {
  return choices.pick([old + 1, old - 1, -old, old * 1e9, old / 3, String(old), [old], { old }, choices.pick(NUMBERS)]);
}

function text(old: string, choices: Choices): unknown {
  const at = choices.below(old.length + 1);
  return choices.pick([
    () => `${old} `,
    () => old.toUpperCase(),
    () => old.slice(0, at),
    () => old.slice(0, at) + choices.pick(['\u0000', '\uD83D', '/', '\\', '..', '~', ' ', '\u0300']) + old.slice(at),
    () => old.repeat(choices.size(200)),
    () => Number(old),
    () => [old],
  ])();
}

function list(old: readonly unknown[], choices: Choices): unknown {
  const at = choices.below(old.length + 1);
  return choices.pick([
    () => old.slice(0, at),
    () => [...old.slice(0, at), nasty(choices), ...old.slice(at)],
    () => [...old, ...old],
    () => [...old].reverse(),
    () => old.filter((_, index) => index !== at),
    () => Array.from({ length: choices.size(3_000) }, (_, index) => old[index % Math.max(1, old.length)]),
    () => Object.fromEntries(old.entries()),
  ])();
}

function record(old: object, choices: Choices): unknown {
  const names = Object.keys(old);
  const name = names.length === 0 ? 'a' : choices.pick(names);
  const without = Object.fromEntries(Object.entries(old).filter(([key]) => key !== name));
  return choices.pick([
    () => without,
    () => ({ ...old, [`${name} `]: nasty(choices) }),
    () => withOwn(old, choices.pick(['__proto__', 'constructor', 'toString', 'unknown', '']), nasty(choices)),
    () => Object.entries(old),
    () => ({ ...without, [name.toUpperCase()]: Object.entries(old).find(([key]) => key === name)?.[1] }),
  ])();
}
