import type { Focus } from '../focus.js';
import type { NeedCandidate, NeedImage } from './need.js';

/** What a policy chooses from, and for. */
export interface PolicyRequest {
  /** In order of image id. */
  candidates: readonly NeedCandidate[];
  /** Earlier picks; gone through more than once. */
  training: Iterable<NeedImage>;
  /** Image ids that were drawn at random before. */
  reserve: ReadonlySet<string>;
  /** Images to pick beside the reserve. */
  count: number;
  /**
   * Images that the policy would pick from all candidates if there were no reserve, not always whole: its probabilities
   * sum to this.
   */
  alone: number;
  /** Number of images with a tag at which its own quality counts half. */
  shrinkage: number;
  /** Images that matter more. */
  focuses: readonly Focus[];
  /** By label value. */
  classNames: readonly string[];
  /** Numbers in [0, 1) for one purpose; equal requests give equal numbers. */
  random(purpose: string): () => number;
}

/** A candidate as a policy sees it. */
export interface Rated {
  imageId: string;
  /** The chance of a pick without the reserve. */
  probability: number;
  /** The reason of a pick, for people; asked for picks alone. */
  why(): string;
  need: number;
  tagNeed: number;
  hardness: number;
  rarity: number;
}

export interface PolicyPicks {
  /** Image ids, none of the reserve. */
  picked: readonly string[];
  /** All candidates. */
  rated: readonly Rated[];
}

/** A way to choose images. Pure: equal requests give equal picks. */
export type SamplePolicy = (request: PolicyRequest) => PolicyPicks;
