import type { LoopConfig } from './config.js';
import type { IterationRow, LoopStatus } from './messages.js';
import { STEPS, type Step, type StepResults } from './steps.js';

const ROWS_SHOWN = 20;

/** The loop's state as Markdown for Temporal's "current details": a table of the last 20 iterations and the settings. */
export function loopDetails(status: LoopStatus, config: LoopConfig | null): string {
  const header = [
    `**${status.phase}**${status.iteration === null ? '' : `, iteration ${status.iteration}`}, ${status.remaining} to go`,
    ...(status.error === null ? [] : [`Last error: ${oneLine(status.error)}`]),
  ];
  const table = [
    tableLine([
      'iteration',
      'status',
      'drawn',
      'set aside',
      'picked',
      'trained on',
      'mIoU',
      'benchmark',
      'gate',
      'min',
    ]),
    '|---:|---|---:|---:|---:|---:|---:|---:|---|---:|',
    ...status.rows.slice(-ROWS_SHOWN).map(tableRow),
  ];
  const settings = config === null ? [] : ['Settings', '```json', JSON.stringify(config, null, 1), '```'];
  return [
    ...header,
    '',
    ...(status.rows.length === 0 ? ['No iteration has finished yet.'] : table),
    '',
    ...settings,
  ].join('\n');
}

function tableRow(row: IterationRow): string {
  const cells = [
    row.iteration,
    row.status,
    row.drawn,
    row.flagged,
    row.sampled,
    row.trainingSet,
    row.miou?.toFixed(3) ?? null,
    row.benchmarkMiou?.toFixed(3) ?? null,
    row.gate,
    (row.seconds / 60).toFixed(1),
  ];
  return tableLine(cells);
}

/** The steps of a running iteration as Markdown: which are done, found done, under way. */
export function iterationDetails(current: Step | null, results: StepResults, config: LoopConfig): string {
  const rows = STEPS.map((step) => {
    const result = results[step];
    if (result === undefined) return tableLine([step, step === current ? 'under way' : null, '', '']);
    const facts = Object.entries(result.facts).map(
      ([name, value]) => `${name} ${typeof value === 'number' ? Number(value.toFixed(4)) : String(value).slice(0, 16)}`,
    );
    return tableLine([step, result.outcome, result.seconds, facts.join(', ')]);
  });
  return [
    tableLine(['step', 'done', 'seconds', 'facts']),
    '|---|---|---:|---|',
    ...rows,
    '',
    'Settings',
    '```json',
    JSON.stringify(config, null, 1),
    '```',
  ].join('\n');
}

/** The Temporal UI sets the columns of a table side by side without a gap: each cell brings its own. */
const GAP = '\u00a0\u00a0';

function tableLine(cells: readonly (string | number | null)[]): string {
  return `|${cells.map((cell) => `${GAP}${cell ?? '–'}${GAP}`).join('|')}|`;
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').slice(0, 500);
