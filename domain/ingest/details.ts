import { counted } from '../base/counted.js';
import { tableLine } from '../base/tableLine.js';
import type { IngestProgress } from './requests.js';

const REASON = 120;
/** In the order of the table. */
const OUTCOMES = ['added', 'changed', 'known', 'refused', 'removed'] as const;

const cell = (text: string): string => text.replaceAll('|', '\\|').replace(/\s+/g, ' ').slice(0, REASON);

/** The state of an ingest as Markdown, for the Temporal UI. */
export function ingestDetails(pool: string, { totals, last, waiting, failed, current }: IngestProgress): string {
  const settled = counted(totals.drops, 'drop', 'drops');
  const added = counted(totals.added, 'image', 'images');
  const lines = [
    `Inbox of pool **${pool}**: ${settled} settled, ${added} added, ${totals.refused} refused.`,
    ...(current === null ? [] : ['', `Reading drop **${cell(current)}**.`]),
    ...waiting.map(
      ({ drop, until, missing }) =>
        `\nDrop **${cell(drop)}** waits for ${counted(missing, 'file', 'files')} until ${until}.`,
    ),
    ...failed.map(({ drop, error }) => `\nDrop **${cell(drop)}** could not be read: ${cell(error)}`),
  ];
  if (last.length === 0) return lines.join('\n');
  return [
    ...lines,
    '',
    tableLine(['drop', 'outcome', 'images']),
    '|---|---|---|',
    ...last.map((drop) => {
      const outcome = drop.reason === null ? drop.outcome : `${drop.outcome}: ${drop.reason}`;
      return tableLine([cell(drop.drop), cell(outcome), imagesOf(drop)]);
    }),
    '',
    `\`partloop ingest receipts ${pool}\` prints the receipts.`,
  ].join('\n');
}

/** What became of a drop's images, in words: the Temporal UI is too narrow for a column each. */
function imagesOf(drop: IngestProgress['last'][number]): string {
  const counts = OUTCOMES.flatMap((outcome) => (drop[outcome] === 0 ? [] : `${drop[outcome]} ${outcome}`));
  return counts.length === 0 ? 'none' : counts.join(', ');
}
