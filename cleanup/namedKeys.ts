/**
 * All keys of loops that a record names, at any depth and under any field: what a later version wrote into a record
 * counts too.
 */
export function namedKeys(value: unknown, into: Set<string> = new Set()): Set<string> {
  if (typeof value === 'string') {
    if (/^(loops|scans)\//.test(value)) into.add(value);
  } else if (Array.isArray(value)) for (const item of value) namedKeys(item, into);
  else if (value !== null && typeof value === 'object') for (const item of Object.values(value)) namedKeys(item, into);
  return into;
}
