// What the day's clients sent, as they know it themselves: the one side of the account.

/**
 * What must become of an entry of a drop's labels. twice: the pool has the picture from elsewhere; gone: it was removed
 * from the pool before, and stays out; leak: it shows the test set.
 */
export const FATES = ['taken', 'twice', 'gone', 'leak', 'rejected'] as const;
export type Fate = (typeof FATES)[number];

/** A file as it was sent; the path is that in its drop. */
export interface SentFile {
  path: string;
  sha256: string;
}

/** An entry of a drop's labels: a picture and its label. */
export interface SentEntry {
  /** The picture by its name in the labels. */
  name: string;
  /** The picture's bytes; null if the drop never had such a file. */
  sha256: string | null;
  /** Of the label's values, row by row; null if it has none that can be read. */
  labelSha256: string | null;
  fate: Fate;
  /** What the reason beside a rejected file must say, as a regular expression; null for entries that are taken. */
  reason: string | null;
  /** Its files in the drop: they are found in `rejected/` if it is not taken. */
  files: SentFile[];
}

export interface SentDrop {
  drop: string;
  kind: string;
  format: 'coco' | 'masks';
  entries: SentEntry[];
  /** Files that no label names. */
  strays: SentFile[];
  /** Receipts by outcome. */
  receipts: { taken: number; repeated: number; refused: number };
  /** It may be read twice with a part of its entries: one that grows can be settled before it has grown. */
  mayBeReadTwice: boolean;
  /** Paths that wait in the inbox at the end, on purpose. */
  stays: string[];
}

/** An image that the operator imported by hand. */
export interface ImportedImage {
  sha256: string;
  labelSha256: string;
  split: 'val' | 'test';
}

export interface Ledger {
  imported: ImportedImage[];
  drops: SentDrop[];
  /** Pictures that clients asked to be removed. */
  removals: string[];
  iterations: number;
  /** The iteration that fails until somebody repairs what it needs; null if none does. */
  failing: number | null;
}
