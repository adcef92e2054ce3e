import { seededRandom, shuffle } from '../../base/random.js';
import type { ChunkRow } from '../../tables.js';

type Grouped = Pick<ChunkRow, 'imageId' | 'vehicleId' | 'cluster'>;

/**
 * Assign rows to `folds` folds so that no vehicle or duplicate cluster is in two: groups in seeded order, each to the
 * fold with the fewest images. The order of the rows does not matter. Index of the answer = index of the row.
 */
export function assignFolds(rows: readonly Grouped[], folds: number, ...seed: readonly (string | number)[]): number[] {
  const groups = groupsOf(rows);
  const members = new Map<number, number[]>();
  for (const [index, group] of groups.entries()) if (!members.get(group)?.push(index)) members.set(group, [index]);
  const sizes = new Array<number>(folds).fill(0);
  const assigned = new Array<number>(rows.length).fill(0);
  const byName = [...members.values()]
    .map((group) => ({
      group,
      name: group.map((index) => rows[index]?.imageId ?? '').sort()[0] ?? '',
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ group }) => group);
  for (const group of shuffle(byName, seededRandom(...seed, 'folds')).sort((a, b) => b.length - a.length)) {
    const fold = sizes.indexOf(Math.min(...sizes));
    sizes[fold] = (sizes[fold] as number) + group.length;
    for (const index of group) assigned[index] = fold;
  }
  return assigned;
}

/** Connected groups by shared vehicle or cluster, as the index of each group's first row (union-find). */
function groupsOf(rows: readonly Grouped[]): number[] {
  const parent = rows.map((_, index) => index);
  const find = (index: number): number => {
    let root = index;
    while (parent[root] !== root) root = parent[root] as number;
    parent[index] = root;
    return root;
  };
  const first = new Map<string, number>();
  rows.forEach((row, index) => {
    for (const key of [`cluster:${row.cluster}`, ...(row.vehicleId === null ? [] : [`vehicle:${row.vehicleId}`])]) {
      const other = first.get(key);
      if (other === undefined) first.set(key, index);
      else parent[find(index)] = find(other);
    }
  });
  return rows.map((_, index) => find(index));
}
