import type { RefusedItem } from '../../formats/reading/importItem.js';

const EXAMPLES = 3;

export interface RefusalGroup {
  /** The reason of its first example, with `it` for its name. */
  reason: string;
  count: number;
  examples: string[];
}

/** Refusals by reason, the most frequent first; names and numbers in a reason do not set it apart. */
export function groupRefusals(refused: readonly RefusedItem[]): RefusalGroup[] {
  const groups = new Map<string, RefusalGroup>();
  for (const { fileName, reason } of refused) {
    const kind = reason
      .replaceAll(fileName, 'it')
      // Which one it is may be told after that.
      .replace(/(a copy of a test image).*/s, '$1')
      .replace(/\d+/g, '0')
      .split(/\s+/)
      .map((word) => (word.includes('/') ? 'path' : word))
      .join(' ');
    const group = groups.get(kind) ?? { reason: reason.replaceAll(fileName, 'it'), count: 0, examples: [] };
    group.count += 1;
    if (group.examples.length < EXAMPLES) group.examples.push(fileName);
    groups.set(kind, group);
  }
  return [...groups.values()].sort((a, b) => b.count - a.count);
}
