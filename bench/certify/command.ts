import { Command } from 'commander';
import { z } from 'zod';
import { printLine, printText, say } from '../../cli/terminal/output.js';
import { PartloopError } from '../../domain/base/errors.js';
import { readJsonFile } from '../../formats/reading/jsonFile.js';
import { partloopHome, ROOT } from '../../infra/home.js';
import { describeMachine, machineLine } from '../machine.js';
import { type Cell, fixed, markdownTable, writeResults } from '../results.js';
import { madeUp, QUALITIES, type Truth } from './population.js';
import { type Resampled, resample } from './resample.js';

const rowsSchema = z
  .array(z.object({ id: z.string().min(1).max(256), p: z.number().min(0).max(1), wrong: z.boolean() }))
  .min(2)
  .max(1_000_000);

const SHARES = [0.45, 0.1, 0.02];
/** `part`: of the samples that were asked for; large populations take long. */
const SIZES = [
  { images: 400, audit: 50, part: 1 },
  { images: 400, audit: 150, part: 0.2 },
  { images: 3_000, audit: 200, part: 0.04 },
];
const LARGE = { images: 60_000, audit: 400, share: 0.1, part: 0.008 };

/** `npm run bench -- certify`: whether certificates hold, and how narrow they are. */
export function certifyCommand(): Command {
  return new Command('certify')
    .description('Coverage and width of certificates over made-up populations, or over images whose truth is known')
    .option('--truth <file...>', 'JSON: a list of {id, p, wrong}; instead of made-up populations')
    .option('--audit <sizes...>', 'Sizes of audit samples, with --truth', ['50', '100'])
    .option('--samples <n>', 'Audit samples of each population', Number, 500)
    .action(measure);
}

async function measure(options: { truth?: string[]; audit: string[]; samples: number }): Promise<void> {
  const machine = describeMachine(ROOT);
  printLine(machineLine(machine));
  const { samples } = options;
  const rows: { of: string; result: Resampled }[] = [];
  const tell = (of: string, result: Resampled): void => {
    say(
      markdownTable([tableRow(of, result)])
        .split('\n')
        .at(-1) ?? '',
    );
    rows.push({ of, result });
  };
  if (options.truth !== undefined)
    for (const file of options.truth) {
      const truth = await readTruth(file);
      for (const audit of options.audit)
        tell(
          file,
          resample(() => truth, Number(audit), samples),
        );
    }
  else
    for (const { share, images, audit, part } of [
      ...SIZES.flatMap((size) => SHARES.map((share) => ({ ...size, share }))),
      LARGE,
    ])
      for (const quality of QUALITIES)
        tell(
          quality,
          resample((sample) => madeUp(images, share, quality, sample), audit, Math.ceil(samples * part)),
        );
  printText(`\n${markdownTable(rows.map(({ of, result }) => tableRow(of, result)))}`);
  printText(`\n${await writeResults(partloopHome(), 'certify', 'latest', { machine, rows })}`);
}

function tableRow(
  of: string,
  { images, audit, share, samples, certificate, alone, betting, wilson, interval }: Resampled,
): Record<string, Cell> {
  return {
    probabilities: of,
    images,
    drawn: audit,
    wrong: fixed(share),
    samples,
    held: fixed(certificate.held),
    bound: fixed(certificate.mean),
    'audit alone': fixed(alone.mean),
    'its held': fixed(alone.held),
    'betting sequence': fixed(betting.mean),
    'Wilson, approximate': fixed(wilson.mean),
    'its held ': fixed(wilson.held),
    'interval held': fixed(interval.held),
    width: fixed(interval.width),
  };
}

async function readTruth(file: string): Promise<Truth[]> {
  const parsed = rowsSchema.safeParse(await readJsonFile(file));
  if (parsed.success) return parsed.data;
  throw new PartloopError('input-invalid', `${file} is no list of {id, p, wrong}: ${z.prettifyError(parsed.error)}`, {
    hint: 'Give a JSON file such as [{"id": "a.jpg", "p": 0.2, "wrong": false}, …].',
  });
}
