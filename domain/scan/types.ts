import type { ScanConfig } from '../config.js';
import type { FindingKind, FindingRow, ScanImageRow } from '../tables.js';
import type { Tags } from '../tags.js';
import type { VerdictCorrection } from './calibrate/statistics/plattScaling.js';
import type { CandidateFeatures } from './features.js';

/**
 * One image as the scan network saw it: square rasters of `size` × `size`, row by row. Their top left `validWidth` ×
 * `validHeight` show the picture; the rest is padding.
 */
export interface AnalysisInput {
  size: number;
  validWidth: number;
  validHeight: number;
  /** Given label value per pixel; 255 never counts. */
  label: Uint8Array;
  /** Predicted label value per pixel. */
  mask: Uint8Array;
  /** 255 × probability of the predicted value. */
  pMask: Uint8Array;
  /** 255 × probability of the given value. */
  pLabel: Uint8Array;
}

export interface AnalysisOptions {
  /** Smallest region that counts, as a share of the picture; see `PICTURE` of `image/thresholds.ts`. */
  minAreaShare?: number;
  /**
   * Copies with injected errors that `analyseWithInjection` makes of the label; see `ANALYSIS` of
   * `image/thresholds.ts`.
   */
  copies?: number;
}

/** A suspect region of one label, not yet judged. Boxes are pixels of the valid picture, ends exclusive. */
export interface Candidate {
  kind: FindingKind;
  classId: number;
  suggestedClassId: number | null;
  area: number;
  box: [x0: number, y0: number, x1: number, y1: number];
  features: CandidateFeatures;
  /**
   * Flat triples class, intersection, union of the region: the part of the IoU to subtract if the region is left out.
   */
  counts: number[];
  /** COCO uncompressed RLE counts of the proposed mask on the valid picture (height × width); null if there is none. */
  proposal: number[] | null;
  /** The finding comes from rules, not from the model, so weak classes do not silence it. */
  rule: boolean;
}

/** A candidate of a copy with injected errors; `wrong` if it lies on one of them. */
export interface InjectedCandidate {
  candidate: Omit<Candidate, 'proposal' | 'counts'>;
  wrong: boolean;
}

/** Measurements of the whole image, all as shares of the predicted car or of the picture, 0..1. */
export interface ImageStatistics {
  /** Confidence-weighted predicted part where nothing is labelled, without edges, of the predicted car. */
  unlabelledMass: number;
  /** Unlabelled pixels enclosed by labelled ones, of the predicted car. */
  holeMass: number;
  /** Labelled pixels where the model sees another part, without edges, of the labelled car. */
  relabelledMass: number;
  /** Labelled pixels where the model sees background, without edges, of the labelled car. */
  extraMass: number;
  /** Predicted parts labelled nowhere, weighted by confidence (a count, not a share). */
  absentParts: number;
  /** Agreement of label and prediction over the car. */
  agreement: number;
  /** Mean probability of the prediction over the predicted car: a limit of the expected agreement. */
  clarity: number;
}

/** Raised whenever the meaning of an analysis changes: a reduce never mixes two versions. */
export const ANALYSIS_VERSION = 5;

/** Everything that the reduce needs about one image; small and JSON-serialisable. */
export interface ImageAnalysis {
  version: typeof ANALYSIS_VERSION;
  width: number;
  height: number;
  candidates: Candidate[];
  statistics: ImageStatistics;
  /** Flat triples label value, intersection, union, for the values in label or prediction, without background. */
  classCounts: number[];
  /** Flat triples label value, pixels labelled so, sum of pLabel (0..1) over them: confident learning's thresholds. */
  selfConfidence: number[];
  predictedClasses: number[];
  labelledClasses: number[];
  /** From the prediction alone; never from the label under test. */
  inferredTags: Partial<Tags>;
  /** Those of them that rules and slices go by. */
  cautiousTags: Partial<Tags>;
  /** One entry per copy of the label with injected errors of one kind; empty if none was asked for. */
  injected: { kind: FindingKind; whole: boolean; statistics: ImageStatistics; candidates: InjectedCandidate[] }[];
}

/** Val IoU by class name, as in a model card. */
export type ClassIouByName = Record<string, number | null>;

/** One image on its way into the reduce. */
export interface ReduceEntry {
  imageId: string;
  fileName: string;
  labelSha256: string;
  /** null if the image could not be judged; then `error` gives the reason. */
  analysis: ImageAnalysis | null;
  error?: string | null;
  /** The file is good, but no model was there to judge it. It is neither suspect nor set aside. */
  unjudged?: boolean;
  /** Digest or name of the model that judged: key into the reduce's `classIou`. */
  model: string;
  /** Given tags; caps on the quarantine hold per value. */
  tags?: Tags;
  /** Near-duplicate group: one of its images with a very different set of labelled parts is a finding. */
  cluster?: string;
}

export interface ScanSummary {
  images: number;
  /** Images whose probability reaches `quarantineAt`; caps may leave some of them in. */
  overThreshold: number;
  /** Images of at least this probability are set aside; null if none reaches the required precision. */
  quarantineAt: number | null;
  quarantined: number;
  /** Images over the threshold that the caps left in; they go to review only. */
  overflow: number;
  errors: number;
  findings: number;
  /** Estimated share of images with a label that is wrong somewhere. */
  prevalence: number;
  /** finding kind -> count; kinds without any are listed with 0, so that a silenced rule is visible. */
  kinds: Record<FindingKind, number>;
  /** class name -> confident-learning threshold, IoU over the scan, and whether the model may judge it. */
  classes: { name: string; threshold: number; iou: number | null; judged: boolean }[];
  /** Numbers of injected and untouched candidates and images in the fit. */
  calibration: {
    injectedCandidates: number;
    candidates: number;
    injectedImages: number;
    /** The effect of reviewers' answers on the probabilities of findings. */
    verdicts: VerdictCorrection;
    imagePrevalence: number;
    coefficients: Record<string, number[]>;
    /** Group of candidates -> estimated share of wrong ones. */
    shares: Record<string, number>;
  };
  config: ScanConfig;
}

export interface ScanReduction {
  images: ScanImageRow[];
  findings: FindingRow[];
  summary: ScanSummary;
}
