import { stat } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { ALPHA, FROM, MOST_ASKED } from '../../domain/review/propagate/limits.js';
import { exportedFindingSchema, exportScan } from '../../domain/scan/export.js';
import { type Asked, ask } from '../../pool/review/propagate/ask.js';
import { propagate } from '../../pool/review/propagate/propagate.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { openPool } from '../../storage/pool/pool.js';
import { writeTableFile } from '../../storage/tables/table.js';
import { openEnvironmentStore } from '../environment.js';
import { number, name as poolName, wholeNumberBetween } from '../options.js';
import { tellAsked, tellPropagation } from '../propagateTold.js';
import { printJson } from '../terminal/output.js';

interface Options {
  scan?: string;
  ask?: number;
  out?: string;
  alpha?: number;
  from?: number;
  apply?: true;
  json?: true;
}

/** `partloop review propagate`. */
export function registerPropagate(review: Command): void {
  review
    .command('propagate')
    .description(
      "Correct findings by reviewers' answers to similar ones, with a bound on the share of harmful corrections; changes nothing without --apply",
    )
    .argument('<pool>', 'Name of the pool', poolName)
    .option('--scan <scan>', 'A scan of the pool; its newest if omitted')
    .option(
      '--ask <n>',
      'Draw findings for reviewers, whose answers decide; needs --out',
      wholeNumberBetween(1, MOST_ASKED),
    )
    .option('--out <file>', 'With --ask: the new .csv file that gets the drawn findings, for `review import`')
    .option(
      '--alpha <share>',
      `With --ask: largest share of harmful corrections (default: ${ALPHA})`,
      between(0.01, 0.5),
    )
    .option('--from <p>', `With --ask: least probability of the proposals (default: ${FROM})`, between(0, 1))
    .option('--apply', 'Write the corrections as new label revisions; `review undo` takes them back')
    .option('--json', 'Print one JSON object on stdout')
    .action(async (pool: string, options: Options) => {
      checkOptions(options);
      const { store } = await openEnvironmentStore();
      const common = { pool, scan: options.scan ?? null, now: new Date() };
      const { ask: answers, out, json, alpha = ALPHA, from = FROM } = options;
      if (answers !== undefined && out !== undefined) {
        await refuseExisting(out);
        const asked = await ask(store, { ...common, answers, alpha, from });
        await writeQuestions(store, asked, out);
        if (json) return printJson({ ...summary(asked), file: out });
        return tellAsked(asked, out);
      }
      const report = await propagate(store, { ...common, apply: options.apply === true });
      if (json) printJson(report);
      else tellPropagation(report);
    });
}

function checkOptions({ ask: answers, out, alpha, from, apply }: Options): void {
  const stray = Object.entries({ out, alpha, from }).find(([, value]) => value !== undefined)?.[0];
  if (answers === undefined && stray !== undefined)
    throw new PartloopError('input-invalid', `--${stray} belongs to --ask`, {
      hint: 'The draw fixes share and proposals: they cannot be chosen after the answers.',
    });
  if (answers !== undefined && out === undefined)
    throw new PartloopError('input-invalid', '--ask needs --out, the file for the drawn findings');
  if (answers !== undefined && apply)
    throw new PartloopError('input-invalid', '--ask and --apply exclude each other', {
      hint: 'Import the answers first: `partloop review import FILE`.',
    });
}

/** A file with answers is worth more than the questions. */
async function refuseExisting(file: string): Promise<void> {
  const there = await stat(file).catch(() => null);
  if (there !== null) throw new PartloopError('input-invalid', `${file} exists already`, { hint: 'Give a new file.' });
}

const questionSchema = z.object({
  finding_id: z.string(),
  ...exportedFindingSchema.shape,
  verdict: z.string(),
  comment: z.string(),
});

async function writeQuestions(store: ObjectStore, { round, findings }: Asked, out: string): Promise<void> {
  const pool = await openPool(store, round.pool);
  const history = await pool.history();
  const rows = findings.flatMap((finding) => {
    const size = history.latest(finding.imageId) ?? { width: 0, height: 0 };
    const { findings: shown } = exportScan([], [finding], pool.taxonomy, () => size);
    return shown.map((row) => ({ finding_id: finding.findingId, ...row, verdict: '', comment: '' }));
  });
  await writeTableFile(out, 'csv', rows, questionSchema);
}

const summary = ({ round: { id, scan, number: round, alpha, confidence, from }, ...rest }: Asked) => ({
  ...{ scan, round, id, alpha, confidence, from, isEarlier: rest.isEarlier },
  ...{ asked: rest.findings.length, proposals: rest.proposals },
});

/** A decimal number within bounds. */
function between(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = number(text);
    if (value >= low && value <= high) return value;
    throw new InvalidArgumentError(`give ${low} to ${high}.`);
  };
}
