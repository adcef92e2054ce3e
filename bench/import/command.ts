import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { wholeNumberBetween } from '../../cli/options.js';
import { printJson, printLine, printText, say } from '../../cli/terminal/output.js';
import { PartloopError } from '../../domain/base/errors.js';
import { ensureStack } from '../../infra/environment.js';
import { ROOT } from '../../infra/home.js';
import { describeMachine, machineLine } from '../machine.js';
import { fixed, markdownTable, writeResults } from '../results.js';
import { faultsOf, type ImportFigures } from './faults.js';
import { importCoco, ingestDrop, type RunRequest } from './runs.js';

interface Options {
  images: number;
  steps: number[];
  killImages: number;
  ways: (keyof typeof WAYS)[];
  profile?: string;
  json?: true;
}

const WAYS = { coco: importCoco, ingest: ingestDrop } as const;
const MOST = 500_000;

/** `npm run bench -- import`: many images at once, from a disk and as a drop; then a kill in the middle of each. */
export function importCommand(): Command {
  const count = wholeNumberBetween(1, MOST);
  return new Command('import')
    .description('Speed and memory of an import and of a drop of many images; a kill in the middle must lose nothing')
    .option('--images <n>', 'Images of the largest import', count, 60_000)
    .option('--steps <n,…>', 'Smaller imports before it, to see what grows', numbers, [3_000, 12_000])
    .option('--kill-images <n>', 'Images of the imports that are killed in the middle', count, 12_000)
    .addOption(
      new Option('--ways <way...>', 'Ways to bring images in').choices(Object.keys(WAYS)).default(Object.keys(WAYS)),
    )
    .option('--profile <folder>', 'Write a profile of each import command')
    .option('--json', 'Print one JSON object on stdout')
    .action(measure);
}

const numbers = (text: string): number[] => text.split(',').map(wholeNumberBetween(1, MOST));

async function measure({ images, steps, killImages, ways, profile, json }: Options): Promise<void> {
  const machine = describeMachine(ROOT);
  say(machineLine(machine));
  // An import needs no other worker, and another one would take memory.
  process.env.PARTLOOP_WORKERS ??= 'light';
  const env = await ensureStack();
  if (profile !== undefined) await mkdir(profile, { recursive: true });
  const common = { env, folder: join(env.home, 'bench', 'import'), say, profile: profile ?? null };
  await mkdir(common.folder, { recursive: true });
  const figures: ImportFigures[] = [];
  const run = async (way: keyof typeof WAYS, request: RunRequest): Promise<ImportFigures> => {
    const { count, killAfter } = request;
    say(`${way} of ${count} images${killAfter === null ? '' : `, killed after ${Math.round(killAfter)} s`} …`);
    const found = await WAYS[way](request);
    figures.push(found);
    await writeResults(env.home, 'import', 'latest', { machine, figures });
    return found;
  };
  for (const way of ways) {
    const sizes = [...new Set([...steps.filter((step) => step < images), images])].sort((a, b) => a - b);
    for (const count of sizes) await run(way, { ...common, count, killAfter: null });
    const killed = Math.min(killImages, images);
    const whole =
      figures.find((one) => one.way === way && one.images === killed) ??
      (await run(way, { ...common, count: killed, killAfter: null }));
    await run(way, { ...common, count: killed, killAfter: whole.wallSeconds / 2 });
  }
  const faults = figures.flatMap(faultsOf);
  const path = await writeResults(env.home, 'import', 'latest', { machine, figures, faults });
  if (json) printJson({ machine, figures, faults });
  else tell(figures, path);
  if (faults.length > 0) throw new PartloopError('data-invalid', faults.join('\n'));
}

function tell(figures: readonly ImportFigures[], path: string): void {
  const name = ({ way, images, killed }: ImportFigures) => ({ way: killed ? `${way}, killed` : way, images });
  printText(`\n${markdownTable(figures.map((one) => ({ ...name(one), ...countsIn(one) })))}`);
  const costs = figures.flatMap((one) =>
    one.costs.map((cost) => ({
      ...name(one),
      process: cost.process,
      'core s': fixed(cost.coreSeconds, 1),
      'peak MB': fixed(cost.peakMegabytes, 0),
    })),
  );
  printText(`\n${markdownTable(costs)}`);
  printLine(path);
}

function countsIn({ images, wallSeconds, coreSeconds, added, known, pool, history }: ImportFigures) {
  return {
    'images/s': fixed(images / wallSeconds, 1),
    'wall s': fixed(wallSeconds, 0),
    'core ms an image': fixed((coreSeconds * 1_000) / images, 1),
    added,
    known,
    segments: pool.segments,
    objects: pool.objects,
    events: history?.events ?? null,
    'history KB': history === null ? null : fixed(history.bytes / 1_024, 1),
    'largest payload KB': history === null ? null : fixed(history.largestPayload / 1_024, 1),
  };
}
