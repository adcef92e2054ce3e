import type { LoopConfig } from '../domain/config.js';
import type { ControlComparison } from '../domain/control/comparison.js';
import type { Decision } from '../domain/decide/decision.js';
import type { Calibration } from '../domain/evaluate/calibration.js';
import type { AuditEstimate } from '../domain/review/auditAnswers.js';
import type { Certificate } from '../domain/review/certificate/certificate.js';
import type { precisionByKind, reliabilityOf } from '../domain/review/review.js';
import type { SampleComparison } from '../domain/sample/compare.js';
import type { Step } from '../domain/steps.js';
import type { Tuning } from '../domain/tune/proposal.js';
import type { Confusion } from './confusions.js';

/** All data that a report shows, already read from the store: rendering needs no I/O. */
export interface ReportData {
  loop: string;
  iteration: number;
  madeAt: string;
  /** Id of the iteration's trace, 32 hex digits; there is one if workers sent spans. */
  trace: string;
  config: LoopConfig;
  /** Where people open the board; null if nobody said. */
  board: string | null;
  /** Earlier iterations and this one, oldest first. */
  curve: IterationPoint[];
  /** Since the last iteration; null for the first one. */
  changes: Changes | null;
  decision: Decision;
  /** The model beside one trained on random images; null if that is not asked for. */
  control: ControlComparison | null;
  classes: ClassQuality[];
  /** Of the pixels predicted as a part, whichever it is; null in evaluations that do not count it. */
  calibration: Calibration | null;
  confusions: Confusion[];
  slices: SliceQuality[];
  worst: WorstImage[];
  detection: DetectionSummary;
  /** Images that steps left out, the first ones of each step. */
  leftOut: LeftOutGroup[];
  sample: {
    comparison: SampleComparison;
    /** Images that were left out as interiors. */
    interior: number;
    reasons: { why: string; count: number }[];
    picks: Picture[];
  };
  training: TrainingTags;
  findings: Picture[];
  /** The search for better training settings; null if there was none. */
  tuning: Tuning | null;
  costs: StepCost[];
  warnings: string[];
}

export interface IterationPoint {
  iteration: number;
  drawn: number | null;
  quarantined: number | null;
  sampled: number | null;
  trainingSet: number | null;
  miou: number | null;
  majorMiou: number | null;
  minorMiou: number | null;
  boundaryIou: number | null;
  valMiou: number | null;
  benchmarkMiou: number | null;
  /** mIoU of the model trained on random images, and the gain over it. */
  controlMiou: number | null;
  overRandom: number | null;
  gate: string | null;
  seconds: number;
}

export interface ClassQuality {
  name: string;
  group: 'major' | 'minor';
  /** Test images with this class in their ground truth. */
  images: number;
  /** null if the test set has no such pixel. */
  iou: number | null;
  recall: number | null;
  benchmarkIou: number | null;
  /** Of the pixels predicted as this class; null if there is none, or it was not counted. */
  calibration: Calibration | null;
}

export interface SliceQuality {
  tag: string;
  value: string;
  images: number;
  miou: number;
  benchmarkMiou: number | null;
  /** Bounds of the gain over the benchmark, if the gate judges exactly this slice. */
  bounds: { lower: number; upper: number } | null;
  /** mIoU less that of the last iteration's candidate, on the test images of both; null without it. */
  change: number | null;
}

/** What is different from the last iteration, in words. */
export interface Changes {
  /** The last iteration. */
  since: number;
  lines: { what: string; text: string }[];
}

/** Images by tag value in the training set, before this iteration and after it. */
export interface TrainingTags {
  size: { before: number; after: number };
  /** Images in the one and not in the other. */
  joined: number;
  left: number;
  tags: { tag: string; values: { name: string; before: number; after: number }[] }[];
}

/** Time of a step, with the waiting for a worker. */
export interface StepCost {
  step: Step;
  seconds: number;
  outcome: string;
  /** What it went through one by one; null if that is not recorded. */
  work: { count: number; unit: 'images' | 'iterations' } | null;
  /** Seconds of the same step in the last iteration. */
  before: number | null;
}

export interface WorstImage {
  fileName: string;
  tags: string;
  miou: number;
  /** The largest confusion in words: `left_front_door seen as right_front_door, 41 % of its pixels`. */
  mistake: string;
}

/** Images that one step left out. */
export interface LeftOutGroup {
  /** `drawn`, `scanned`, `picked`, `training`, `validation` or `test` images. */
  of: string;
  images: number;
  /** `2 gone, 1 changed`. */
  why: string;
  first: { fileName: string; reason: string }[];
}

export interface DetectionSummary {
  model: string;
  scanned: number;
  withFindings: number;
  /** Images whose probability reaches `quarantineAt`; caps may leave some of them in. */
  overThreshold: number;
  quarantined: number;
  unreadable: number;
  /** Images of at least this probability are set aside; null if none reaches the required precision. */
  quarantineAt: number | null;
  /** Calibrated estimate of the share of wrong images. */
  estimatedWrong: number | null;
  kinds: { kind: string; findings: number; images: number; quarantined: number }[];
  classes: { name: string; findings: number }[];
  missing: number;
  /** Of `scan.autoCorrect`: labels corrected before the draw, findings drawn for reviewers, proposals beside them. */
  corrected: number;
  asked: number;
  correctable: number;
  /**
   * The outcome for every image of the pool: `scanned 130 of 600 images; …`; null for older scans, which do not count
   * it.
   */
  counts: string | null;
  /**
   * By tag value: images scanned, those over the quarantine threshold, those set aside; values suspected most often
   * come first.
   */
  slices: { tag: string; value: string; images: number; overThreshold: number; quarantined: number }[];
  /** Answers of reviewers so far, by kind and by the scan's own probability; empty before the first review. */
  answers: ReturnType<typeof precisionByKind>;
  reliability: ReturnType<typeof reliabilityOf>;
  /**
   * Images drawn for review regardless of their probability, and the estimates from the answers; null without answers.
   */
  audit: number;
  recall: AuditEstimate | null;
  /** What can be claimed of all labels that the loop has scanned; null without such answers. */
  certificate: Certificate | null;
}

/** A picture of the training pool with an overlay; test images are never opened by a report. */
export interface Picture {
  title: string;
  detail: string;
  fileName: string;
  /** 0..1, for the bar under the picture; null without one. */
  score: number | null;
  /** A data URI; null if the picture could not be read. */
  src: string | null;
  width: number;
  height: number;
}
