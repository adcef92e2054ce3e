import { seededRandom } from '../../domain/base/random.js';

/** The random choices of one case, by its seed. */
export class Choices {
  private readonly random: () => number;

  constructor(...seed: readonly (string | number)[]) {
    this.random = seededRandom('fuzz', ...seed);
  }

  /** 0 or more, below `end`. */
  below(end: number): number {
    return Math.floor(this.random() * end);
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** Small mostly, now and then large. */
  size(most: number): number {
    return Math.floor(most ** this.random());
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}
