import { z } from 'zod';
import { compareTagValues, TAG_NAMES } from '../tags.js';
import { labelNames, type Taxonomy } from '../taxonomy.js';
import { knownTagsReader } from './cells.js';
import type { JudgedRow, OfferedRow } from './columns.js';
import type { FocusConfig } from './config.js';
import { focusesOf } from './focus.js';
import { estimatedWrongShare } from './sampleChunk.js';

const count = z.number().int().nonnegative();
const counts = z.object({ name: z.string(), chunk: count, sample: count, random: count });
const share = z.number().min(0).max(1).nullable();

/** `comparison.json`: the sample beside a random pick of the same size from the same chunk. */
export const sampleComparisonSchema = z.object({
  size: z.object({ chunk: count, sample: count, random: count }),
  /** Calibrated estimates of the share of images whose label is wrong. */
  wrongShare: z.object({ chunk: share, sample: share, random: share }),
  tags: z.array(z.object({ tag: z.string(), values: z.array(counts) })),
  /** Images in which a class is labelled. */
  classes: z.array(counts),
  clusters: z.object({ chunk: count, sample: count, random: count }),
  /** Images of each focus, by its words. */
  focuses: z.array(counts).default([]),
});
export type SampleComparison = z.infer<typeof sampleComparisonSchema>;

export interface ComparisonRequest {
  chunk: readonly OfferedRow[];
  scan: readonly JudgedRow[];
  picked: readonly string[];
  random: readonly string[];
  taxonomy: Taxonomy;
  focus: readonly FocusConfig[];
}

/**
 * Count the content of the sample, of the chunk and of a random pick of equal size; tags without any value are left
 * out.
 */
export function compareWithRandom(request: ComparisonRequest): SampleComparison {
  const { chunk, scan, picked, random, taxonomy } = request;
  const scans = new Map(scan.map((row) => [row.imageId, row]));
  const inSample = new Set(picked);
  const inRandom = new Set(random);
  const ofSample = Uint8Array.from(chunk, ({ imageId }) => Number(inSample.has(imageId)));
  const ofRandom = Uint8Array.from(chunk, ({ imageId }) => Number(inRandom.has(imageId)));
  const tally = (name: string, has: (row: OfferedRow) => boolean) => {
    const counted = { name, chunk: 0, sample: 0, random: 0 };
    chunk.forEach((row, at) => {
      if (!has(row)) return;
      counted.chunk++;
      counted.sample += ofSample[at] as number;
      counted.random += ofRandom[at] as number;
    });
    return counted;
  };
  const knownTags = knownTagsReader();
  const clusters = (ids: ReadonlySet<string> | null) =>
    new Set(chunk.filter((row) => ids === null || ids.has(row.imageId)).map((row) => row.cluster)).size;
  const tags = TAG_NAMES.filter((tag) => tag !== 'region').map((tag) => ({
    tag,
    values: [...new Set(chunk.flatMap((row) => row[tag] ?? []))]
      .sort(compareTagValues)
      .map((value) => tally(String(value), (row) => row[tag] === value)),
  }));
  return {
    size: { chunk: chunk.length, sample: picked.length, random: random.length },
    wrongShare: {
      chunk: estimatedWrongShare(
        scan,
        chunk.map((row) => row.imageId),
      ),
      sample: estimatedWrongShare(scan, picked),
      random: estimatedWrongShare(scan, random),
    },
    tags: tags.filter(({ values }) => values.length > 0),
    classes: labelNames(taxonomy).flatMap((name, label) =>
      label === 0 ? [] : tally(name, (row) => row.classes.includes(label)),
    ),
    clusters: { chunk: clusters(null), sample: clusters(inSample), random: clusters(inRandom) },
    focuses: focusesOf(request.focus, labelNames(taxonomy)).map(({ words, has }) =>
      tally(words, (row) => has(knownTags(row, scans.get(row.imageId)), row.classes)),
    ),
  };
}
