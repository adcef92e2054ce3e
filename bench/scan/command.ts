import { cpus } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { printLine, printText, say } from '../../cli/terminal/output.js';
import { PartloopError } from '../../domain/base/errors.js';
import { ensureStack } from '../../infra/environment.js';
import { ROOT } from '../../infra/home.js';
import { describeMachine, machineLine } from '../machine.js';
import { fixed, markdownTable, writeResults } from '../results.js';
import { bareRate, bareRates } from './bare.js';
import { benchModel } from './model.js';
import { photoFolder, preparePhotos } from './photos.js';
import { type PipelineRate, pipelineRate } from './pipeline.js';
import { pythonRates } from './python.js';

/** Images that an iteration of the reference system scans, and its hours. */
const REFERENCE = { images: 60_000, hours: 20 };
/** Images of the two runs whose memory is compared. */
const MEMORY_RUNS = [200, 2_000] as const;
const ROUNDS = 3;

/** The network alone, in images per second, and the scan right after it. */
interface Round {
  alone: number;
  ours: PipelineRate;
}

interface Options {
  sizes: number[];
  images: number;
  memory: boolean;
  peer: boolean;
}

/** `npm run bench -- scan`: images per second of the scan, of the network alone and of a pipeline in Python. */
export function scanCommand(): Command {
  return new Command('scan')
    .description("The scan's images a second beside the network alone and beside a pipeline in Python")
    .option('--sizes <list>', 'Sides of the network in pixels, separated by commas', sizes, [512, 768])
    .option('--images <n>', 'Images a run', Number, 200)
    .option('--no-memory', `Leave out the comparison of memory at ${MEMORY_RUNS.join(' and ')} images`)
    .option('--no-peer', 'Leave the Python pipeline out')
    .action(measure);
}

async function measure({ sizes, images, memory, peer }: Options): Promise<void> {
  const photos = photoFolder();
  if (photos === null) {
    throw new PartloopError('not-found', 'the DSMLR photos are not there', {
      hint: 'Set PARTLOOP_SHARED to the folder that holds dsmlr-car-parts.',
    });
  }
  const machine = describeMachine(ROOT);
  printLine(machineLine(machine));
  const env = await ensureStack();
  const cores = cpus().length;
  const results = [];
  for (const size of sizes) {
    say(`${size} px: photos and model …`);
    const set = await preparePhotos(env, photos, size);
    const model = await benchModel(env.home, photos, size);
    say(`${size} px: the network alone …`);
    const bare = await bareRates(model.scanPath, size, cores);
    const best = bare.reduce((a, b) => (b.imagesPerSecond > a.imagesPerSecond ? b : a));
    const scanOf = (count: number) =>
      pipelineRate(env, { pool: set.pool, modelPath: model.scanPath, images: count, sessions: cores });
    // In turn, since the speed of a shared machine varies.
    const rounds: Round[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      say(`${size} px: the network alone and the scan, round ${round} of ${ROUNDS} …`);
      const alone = await bareRate(model.scanPath, size, best);
      rounds.push({ alone, ours: await scanOf(images) });
    }
    const { alone, ours } = medianRound(rounds);
    if (peer) say(`${size} px: Pillow, ONNX Runtime and cleanlab …`);
    const python = peer
      ? await pythonRates(env.home, ROOT, { model: model.logitsPath, folder: set.folder, size })
      : null;
    const runs = [];
    if (memory && size === sizes[0]) {
      for (const count of MEMORY_RUNS) {
        say(`${size} px: memory at ${count} images …`);
        runs.push(await scanOf(count));
      }
    }
    results.push({ size, bare, rounds, python, memory: runs });
    printLine(
      `\n${markdownTable([
        {
          'size (px)': size,
          'network alone (images/s)': fixed(alone, 2),
          configuration: `${best.sessions} × ${best.threads} threads, batch ${best.batch}`,
          'scan (images/s)': fixed(ours.imagesPerSecond, 2),
          ratio: fixed(ours.imagesPerSecond / alone, 3),
          rounds: rounds.map((round) => fixed(ratioOf(round), 3)).join(', '),
          'Python pipeline (images/s)': fixed(python?.imagesPerSecond, 2),
          'times as fast': python === null ? null : fixed(ours.imagesPerSecond / python.imagesPerSecond, 2),
          'hours for 60k images': fixed(REFERENCE.images / ours.imagesPerSecond / 3_600, 2),
          'reference system (h)': REFERENCE.hours,
        },
      ])}`,
    );
    if (runs.length > 0) {
      printLine(
        `\n${markdownTable(runs.map((run) => ({ images: run.images, 'peak memory (MB)': run.peakMegabytes })))}`,
      );
    }
  }
  printText(`\n${await writeResults(env.home, 'scan', 'latest', { machine, results })}`);
}

const ratioOf = ({ alone, ours }: Round): number => ours.imagesPerSecond / alone;

/** The round of the median ratio; of an odd number. */
function medianRound(rounds: readonly Round[]): Round {
  return [...rounds].sort((a, b) => ratioOf(a) - ratioOf(b))[(rounds.length - 1) / 2] as Round;
}

function sizes(text: string): number[] {
  return text.split(',').map((part) => {
    const size = Number(part);
    if (!Number.isInteger(size) || size < 64 || size > 2_048 || size % 32 !== 0)
      throw new InvalidArgumentError(`\`${part}\` is not a multiple of 32 from 64 to 2048.`);
    return size;
  });
}
