import { oneLine } from '../base/oneLine.js';
import { tableLine } from '../base/tableLine.js';
import type { LoopConfig, TuneConfig } from '../config.js';
import type { IterationRow, LoopStatus } from '../messages.js';
import { factsText } from '../shownFacts.js';
import { type IterationContext, STEPS, type Step, type StepResults } from '../steps.js';
import type { Trial } from '../tune/halving.js';
import type { Proposal } from '../tune/proposal.js';
import { settingsText, trialLines } from '../tune/table.js';
import { UPDATES } from '../workflowNames.js';
import { iterationColumns } from './iterationColumns.js';
import { nextStep } from './status.js';

const ROWS_SHOWN = 20;

/**
 * The loop's state as Markdown for Temporal's "current details": a table of the last 20 iterations and the settings.
 *
 * @param board where people open the board; null if nobody said
 */
export function loopDetails(status: LoopStatus, config: LoopConfig | null, board: string | null = null): string {
  const advice = nextStep(status);
  const header = [
    `**${status.phase}**${status.iteration === null ? '' : `, iteration ${status.iteration}`}, ${status.remaining} to go`,
    ...(status.error === null ? [] : [`Last error: ${errorText(status.error)}`]),
    ...(advice === null ? [] : [`${advice} The update \`${UPDATES.retryIteration}\` with \`{}\` does the same.`]),
    ...(status.newImages == null ? [] : [newImagesText(status.newImages)]),
    ...(status.rows.some((row) => row.status === 'finished')
      ? [`\`partloop report open ${status.loop}\` opens the newest report.`]
      : []),
    ...(status.proposal === null ? [] : [proposalText(status.loop, status.proposal)]),
    ...(board === null ? [] : [`While the board runs, it shows [this loop](${board}/loops/${status.loop}).`]),
  ];
  const settings = config === null ? [] : ['Settings', '```json', JSON.stringify(config, null, 1), '```'];
  return [
    ...header,
    '',
    ...(status.rows.length === 0 ? ['No iteration has finished yet.'] : iterationTable(status.rows)),
    '',
    ...settings,
  ].join('\n');
}

const TEXT_COLUMNS: ReadonlySet<string> = new Set(['status', 'gate', 'left out']);

/** The newest iterations, without columns that say nothing of any of them. */
function iterationTable(all: readonly IterationRow[]): string[] {
  const rows = all.slice(-ROWS_SHOWN).map((row) => Object.entries(iterationColumns(row)));
  const shown = (rows[0] ?? []).map(([name]) => name).filter((_, at) => rows.some((row) => row[at]?.[1] !== null));
  return [
    tableLine(shown),
    `|${shown.map((name) => (TEXT_COLUMNS.has(name) ? '---' : '---:')).join('|')}|`,
    ...rows.map((row) => tableLine(row.filter(([name]) => shown.includes(name)).map(([, value]) => value))),
  ];
}

/** What a loop waits for. */
export const newImagesText = ({ undrawn, needed }: { undrawn: number; needed: number }): string =>
  `The pool has ${undrawn} images to draw; the next iteration begins at ${needed}.`;

/** What a search proposes, and how to take it. */
export function proposalText(loop: string, { iteration, settings, miou, ownMiou }: Proposal): string {
  const gain = `${miou.toFixed(4)} on the validation images instead of ${ownMiou.toFixed(4)}`;
  return `Iteration ${iteration} proposes ${settingsText(settings)}: ${gain}. \`partloop loop adopt ${loop}\`, or the update \`${UPDATES.adoptProposal}\`, takes them.`;
}

/**
 * The steps of a running iteration as Markdown: which are done, found done, under way, and what a person may do.
 *
 * @param board where people open the board; null if nobody said
 */
export function iterationDetails(
  { loop, iteration, config }: Pick<IterationContext, 'loop' | 'iteration' | 'config'>,
  current: Step | null,
  results: StepResults,
  board: string | null = null,
): string {
  const isEnabled = (step: Step): boolean => {
    if (step === 'tune') return config.tune.enabled;
    return step !== 'control' || config.sample.controlArm;
  };
  const rows = STEPS.filter(isEnabled).map((step) => {
    const result = results[step];
    if (result === undefined) return tableLine([step, step === current ? 'under way' : null, '', '']);
    return tableLine([step, result.outcome, result.seconds, factsText(step, result)]);
  });
  return [
    tableLine(['step', 'done', 'seconds', 'facts']),
    '|---|---|---:|---|',
    ...rows,
    '',
    ...iterationAdvice(`${loop} ${iteration}`, results).flatMap((line) => [line, '']),
    ...(board === null ? [] : boardLinks(board, { loop, iteration }, results).flatMap((line) => [line, ''])),
    'Settings',
    '```json',
    JSON.stringify(config, null, 1),
    '```',
  ].join('\n');
}

/** Pages of the board about an iteration. */
function boardLinks(
  board: string,
  { loop, iteration }: Pick<IterationContext, 'loop' | 'iteration'>,
  { scan, report }: StepResults,
): string[] {
  const pages = [
    `[its loop](${board}/loops/${loop})`,
    ...(scan === undefined ? [] : [`[its findings](${board}/review/${loop}:${iteration})`]),
    ...(report === undefined ? [] : [`[its report](${board}/reports/${loop}/${iteration})`]),
  ];
  return [`While the board runs, it shows ${pages.join(', ')}.`];
}

/** Where the report is, and how a candidate that waits goes into production. */
function iterationAdvice(which: string, { decide, report }: StepResults): string[] {
  return [
    ...(report?.outputs.report === undefined
      ? []
      : [`\`partloop report open ${which}\` opens its report, \`${report.outputs.report}\` in the store.`]),
    ...(decide?.facts.pendingApproval === true
      ? [
          `Its model passed the gate and waits for approval, as configured: send the loop the update \`${UPDATES.approveIteration}\`, or say \`partloop iteration approve ${which}\`.`,
        ]
      : []),
  ];
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

const MAX_ERROR = 800;
const errorText = (text: string): string => oneLine(text).slice(0, MAX_ERROR);
