import { cpus, loadavg } from 'node:os';
import { resolve } from 'node:path';
import { Command } from 'commander';
import type { Browser } from 'playwright-core';
import { number, wholeNumberBetween } from '../../cli/options.js';
import { printJson, printLine, printText, say } from '../../cli/terminal/output.js';
import { PartloopError } from '../../domain/base/errors.js';
import { partloopHome, ROOT } from '../../infra/home.js';
import { startTestStore, type TestStore } from '../../test/support/servers/s3.js';
import { interruption } from '../interrupt.js';
import { describeMachine, machineLine } from '../machine.js';
import { writeResults } from '../results.js';
import { type BoardFigures, claimsOf, figuresText } from './figures.js';
import { makeScans, SCANS, type Sizes } from './madeUp.js';
import { openBrowser, Reviewer } from './reviewer.js';
import { type BenchBoard, startBoard } from './server.js';

/** Starts of a board that has nothing in memory or on its disk. */
const COLD_STARTS = 3;
const AGAIN = 10;
const EACH_FILTER = 4;
/** Findings on which overlays are changed. */
const LOOKED_AT = 12;
const FILTERS = [
  'kind=missing_part',
  'kind=wrong_class&from=0.6&to=0.9',
  'given=0',
  'tag=angle&value=0',
  'order=gain',
  'kind=extra_part&order=gain',
] as const;

interface Options extends Sizes {
  answers: number;
  alone: number;
  thinking: number[];
  profile?: string;
  json?: true;
}

/** `npm run bench -- board`: the board over a scan of full size, as a browser sees it. */
export function boardCommand(): Command {
  const count = wholeNumberBetween(1_000, 1_000_000);
  return new Command('board')
    .description('Time and memory of the board over a large scan, and a scripted reviewer')
    .option('--images <n>', 'Images of the scan', count, 60_000)
    .option('--findings <n>', 'Findings of the scan', count, 100_000)
    .option('--side <px>', 'Side of pictures and labels, pixels', wholeNumberBetween(64, 4_096), 512)
    .option('--answers <n>', 'Answers of each reviewer', wholeNumberBetween(10, 500), 110)
    .option('--alone <n>', 'Findings fetched one by one', wholeNumberBetween(5, 200), 60)
    .option('--thinking <seconds...>', 'One reviewer for each of these times per answer', seconds, [0, 0.8])
    .option('--profile <folder>', 'Write a profile of the board')
    .option('--json', 'Print one JSON object on stdout')
    .action(measure);
}

let given = false;
function seconds(text: string, before: number[]): number[] {
  const value = number(text);
  const others = given ? before : [];
  given = true;
  return [...others, Math.max(0, value)];
}

async function measure(options: Options): Promise<void> {
  const { images, findings, side, json } = options;
  const machine = describeMachine(ROOT);
  say(machineLine(machine));
  const signal = interruption();
  const server = await startTestStore();
  let browser: Browser | null = null;
  try {
    const store = server.open('board');
    await makeScans(store, { images, findings, side });
    browser = await openBrowser();
    const loads = [loadavg()[0] ?? 0];
    const measured = await withBoards({ server, uri: store.uri, browser, signal }, options, () =>
      loads.push(loadavg()[0] ?? 0),
    );
    const load = { mean: loads.reduce((sum, one) => sum + one, 0) / loads.length, cores: cpus().length };
    const figures: BoardFigures = { asked: { images, findings, side }, machine, load, ...measured };
    const path = await writeResults(partloopHome(), 'board', 'latest', { ...figures, claims: claimsOf(figures) });
    if (json) printJson(figures);
    else {
      printText(figuresText(figures));
      printLine(path);
    }
    const broken = claimsOf(figures).filter(({ holds }) => !holds);
    if (broken.length > 0)
      throw new PartloopError('data-invalid', `short: ${broken.map(({ claim }) => claim).join('; ')}`);
  } finally {
    await browser?.close();
    await server.stop();
  }
}

interface There {
  server: TestStore;
  uri: string;
  browser: Browser;
  signal: AbortSignal;
}
type Measured = Omit<BoardFigures, 'asked' | 'machine' | 'load'>;

async function withBoards(there: There, options: Options, onPart: () => void): Promise<Measured> {
  const { server, uri, browser, signal } = there;
  const [firstCold, startedMs]: [number[], number[]] = [[], []];
  let board: BenchBoard | null = null;
  try {
    for (let start = 0; start < COLD_STARTS; start++) {
      say(`first page, start ${start + 1} of ${COLD_STARTS} …`);
      signal.throwIfAborted();
      await board?.stop();
      board = await startBoard(server, uri, options.profile === undefined ? null : resolve(options.profile));
      startedMs.push(board.startedMs);
      const ann = await Reviewer.sitDown(browser, board.origin, 'Ann');
      firstCold.push(await ann.open(`/review/${SCANS[0]}`));
      await ann.leave();
    }
    if (board === null) throw new PartloopError('internal', 'no board was started');
    return { startedMs, firstCold, ...(await onOpenScan(there, board, options, onPart)) };
  } finally {
    await board?.stop();
  }
}

async function onOpenScan(
  { browser, signal }: There,
  board: BenchBoard,
  { answers, alone: count, thinking }: Options,
  onPart: () => void,
): Promise<Omit<Measured, 'startedMs' | 'firstCold'>> {
  const use: BoardFigures['use'] = [{ after: 'the start and the first page', ...board.use() }];
  const part = (after: string): void => {
    say(`${after}: done`);
    signal.throwIfAborted();
    onPart();
    use.push({ after, ...board.use() });
  };
  const path = `/review/${SCANS[0]}`;
  const sitDown = (name: string): Promise<Reviewer> => Reviewer.sitDown(browser, board.origin, name);
  const ann = await sitDown('Ann');
  const firstAgain: number[] = [];
  for (let at = 0; at < AGAIN; at++) firstAgain.push(await ann.open(path));
  part('first pages');
  const filters: BoardFigures['filters'] = [];
  for (const query of FILTERS) {
    const ms: number[] = [];
    for (let at = 0; at < EACH_FILTER; at++) ms.push(await ann.open(`${path}?${query}`));
    filters.push({ query, ms });
  }
  part('filters');
  await ann.open(path);
  const toggled = await ann.toggle(LOOKED_AT);
  part('overlays');
  const alone = await ann.fetchAlone(SCANS[0], count);
  await ann.leave();
  part('findings one by one');
  const paces: BoardFigures['paces'] = [];
  for (const each of thinking) {
    const bob = await sitDown(`Bob ${each}`);
    await bob.open(path);
    paces.push({ thinking: each, ...(await bob.answer(answers, each, String(each))) });
    await bob.leave();
    part(`a reviewer with ${each} s of thinking`);
  }
  for (const scan of SCANS.slice(1)) {
    const eve = await sitDown('Eve');
    await eve.open(`/review/${scan}`);
    await eve.leave();
    part(`opening ${scan}`);
  }
  return { firstAgain, filters, toggled, alone, paces, use };
}
