import { Command } from 'commander';
import { printText } from '../../cli/terminal/output.js';
import { partloopHome } from '../../infra/home.js';
import { wholeNumber } from '../detect/options.js';
import { fixed, markdownTable, writeResults } from '../results.js';
import { type Outcome, resample, type Setting } from './resample.js';
import { madeRows, readRows, SCORES, type TruthRow } from './rows.js';

interface Options {
  data?: string;
  findings: number;
  resamplings: number;
  answers: number;
  taught: number;
  from: number;
  seed: number;
}

/** Shares of harmful corrections that are asked for. */
const ALPHAS = [0.05, 0.1, 0.2, 0.3];

/** `npm run bench -- propagate`: how often the share of harmful automatic corrections is within its bound. */
export function propagateCommand(): Command {
  return new Command('propagate')
    .description('Automatic corrections that follow from answers: harmful ones against the bound, and area repaired')
    .option('--data <file>', 'JSON list of findings with their truth; made-up findings if omitted')
    .option('--findings <n>', 'Made-up findings', wholeNumber, 400)
    .option('--resamplings <n>', 'Draws for each row of the table', wholeNumber, 200)
    .option('--answers <n>', 'Answers of each draw', wholeNumber, 50)
    .option('--taught <n>', 'Answers before each draw, which teach the score', Number, 0)
    .option('--from <p>', 'Least probability of the proposals', Number, 0.5)
    .option('--seed <n>', 'Seed', wholeNumber, 1)
    .action(measure);
}

async function measure(options: Options): Promise<void> {
  const { data, findings, resamplings, answers, taught, from, seed } = options;
  const sets: { name: string; rows: TruthRow[] }[] =
    data === undefined
      ? SCORES.map((scores) => ({ name: `made-up, scores ${scores}`, rows: madeRows(scores, findings, seed) }))
      : [{ name: data, rows: await readRows(data) }];
  const results = sets.flatMap(({ name, rows }) =>
    ALPHAS.map((alpha) => {
      const setting: Setting = { answers, taught, alpha, from };
      const outcomes = Array.from({ length: resamplings }, (_, at) => resample(rows, setting, seed * 100_000 + at));
      const harmful = rows.filter((row) => row.harmful).length / rows.length;
      return { data: name, findings: rows.length, harmful, alpha, ...summary(outcomes, alpha) };
    }),
  );
  const table = results.map((row) => ({
    data: row.data,
    findings: row.findings,
    'harmful, all': fixed(row.harmful),
    alpha: row.alpha,
    'draws within alpha': fixed(row.within),
    'draws with corrections': fixed(row.withCorrections),
    'harmful, worst draw': fixed(row.worst),
    corrections: fixed(row.applied, 0),
    'wrong area repaired': fixed(row.repaired),
    'with the answers': fixed(row.repairedWithAnswers),
  }));
  printText(`\n${markdownTable(table)}`);
  printText(`\n${await writeResults(partloopHome(), 'propagate', 'latest', { options, results })}`);
}

function summary(outcomes: readonly Outcome[], alpha: number) {
  const mean = (of: (outcome: Outcome) => number): number =>
    outcomes.reduce((sum, outcome) => sum + of(outcome), 0) / outcomes.length;
  return {
    within: mean(({ harmful }) => Number(harmful <= alpha)),
    withCorrections: mean(({ applied }) => Number(applied > 0)),
    worst: Math.max(...outcomes.map(({ harmful }) => harmful)),
    applied: mean(({ applied }) => applied),
    repaired: mean(({ repaired }) => repaired),
    repairedWithAnswers: mean((outcome) => outcome.repairedWithAnswers),
  };
}
