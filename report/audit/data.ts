import type { Picture } from '../data.js';

/** All data that the report of an audit shows: rendering needs no I/O. Shares are 0..1. */
export interface AuditReport {
  /** The annotation file, as it was named. */
  file: string;
  madeAt: string;
  scan: string;
  pool: string;
  /** Images that the file lists, and labels that were judged. */
  images: number;
  judged: number;
  refused: number;
  withFindings: number;
  /** Sentences about the share of wrong labels. */
  share: string[];
  warnings: string[];
  /** How the labels were judged, and what was done to annotations that overlap. */
  method: string[];
  suspects: Picture[];
  /** Findings by kind, of all labels. */
  kinds: { kind: string; findings: number; images: number }[];
  /** Classes with their category and mirror partner. */
  classes: { category: string; name: string; mirror: string | null }[];
  /** Commands that go on from here. */
  commands: string[];
}
