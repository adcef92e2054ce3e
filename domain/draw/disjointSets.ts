/** Sets of numbers from 0 on, each alone at first (union-find by size with path compression). */
export class DisjointSets {
  /** The parent of a number; of a root, minus the size of its set. */
  readonly #parent: Int32Array;

  constructor(size: number) {
    this.#parent = new Int32Array(size).fill(-1);
  }

  /** The representative of a number's set; a join may change it. */
  root(index: number): number {
    const parents = this.#parent;
    let root = index;
    for (let next = parents[root] as number; next >= 0; next = parents[root] as number) root = next;
    for (let step = index; step !== root; ) {
      const next = parents[step] as number;
      parents[step] = root;
      step = next;
    }
    return root;
  }

  /** How many numbers are in the set of a root. */
  size(root: number): number {
    return -(this.#parent[root] as number);
  }

  join(a: number, b: number): void {
    const [one, other] = [this.root(a), this.root(b)];
    if (one === other) return;
    const [large, small] = this.size(one) < this.size(other) ? [other, one] : [one, other];
    this.#parent[large] = -(this.size(large) + this.size(small));
    this.#parent[small] = large;
  }
}
