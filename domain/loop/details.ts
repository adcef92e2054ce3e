import { oneLine } from '../base/oneLine.js';
import type { LoopConfig, TuneConfig } from '../config.js';
import type { LoopStatus } from '../messages.js';
import { factsText } from '../shownFacts.js';
import { STEPS, type Step, type StepResults } from '../steps.js';
import type { Trial } from '../tune/halving.js';
import type { Proposal } from '../tune/proposal.js';
import { settingsText, trialLines } from '../tune/table.js';
import { iterationColumns } from './iterationColumns.js';
import { nextStep } from './status.js';

const ROWS_SHOWN = 20;

/**
 * The loop's state as Markdown for Temporal's "current details": a table of the last 20 iterations and the settings.
 */
export function loopDetails(status: LoopStatus, config: LoopConfig | null): string {
  const advice = nextStep(status);
  const header = [
    `**${status.phase}**${status.iteration === null ? '' : `, iteration ${status.iteration}`}, ${status.remaining} to go`,
    ...(status.error === null ? [] : [`Last error: ${errorText(status.error)}`]),
    ...(advice === null ? [] : [advice]),
    ...(status.proposal === null ? [] : [proposalText(status.loop, status.proposal)]),
  ];
  const rows = status.rows.slice(-ROWS_SHOWN).map(iterationColumns);
  const table = [
    tableLine(Object.keys(rows[0] ?? {})),
    '|---:|---|---:|---:|---:|---:|---|---:|---:|---|---:|',
    ...rows.map((row) => tableLine(Object.values(row))),
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

/** The proposal of a search, and the command that adopts it. */
export function proposalText(loop: string, { iteration, settings, miou, ownMiou }: Proposal): string {
  const gain = `${miou.toFixed(4)} on the validation images instead of ${ownMiou.toFixed(4)}`;
  return `Iteration ${iteration} proposes ${settingsText(settings)}: ${gain}. \`partloop loop adopt ${loop}\` adopts them.`;
}

/** The steps of a running iteration as Markdown: done, found done or under way. */
export function iterationDetails(current: Step | null, results: StepResults, config: LoopConfig): string {
  const rows = STEPS.filter((step) => step !== 'tune' || config.tune.enabled).map((step) => {
    const result = results[step];
    if (result === undefined) return tableLine([step, step === current ? 'under way' : null, '', '']);
    return tableLine([step, result.outcome, result.seconds, factsText(step, result)]);
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

/** The trials of a search as Markdown, with their mIoU on the validation images after each rung. */
export function tuneDetails(trials: readonly Trial[], rungEnds: readonly number[], tune: TuneConfig): string {
  const lines = trialLines(trials, rungEnds.length).map(({ trial, settings, values, minutes, state }) =>
    tableLine([trial, ...values.map((value) => value?.toFixed(4) ?? null), minutes, errorText(state), settings]),
  );
  const rungs = rungEnds.map((end) => `after ${end}`);
  return [
    `${trials.length} of ${tune.trials} trials`,
    '',
    tableLine(['trial', ...rungs, 'min', 'state', 'settings']),
    `|---|${'---:|'.repeat(rungs.length + 1)}---|---|`,
    ...lines,
  ].join('\n');
}

/** The Temporal UI leaves no gap between the columns of a table, so each cell brings its own. */
const GAP = '\u00a0\u00a0';

function tableLine(cells: readonly (string | number | null)[]): string {
  return `|${cells.map((cell) => `${GAP}${cell ?? '–'}${GAP}`).join('|')}|`;
}

const MAX_ERROR = 800;
const errorText = (text: string): string => oneLine(text).slice(0, MAX_ERROR);
