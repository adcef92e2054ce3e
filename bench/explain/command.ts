import { Command } from 'commander';
import { printText, say } from '../../cli/terminal/output.js';
import { PartloopError } from '../../domain/base/errors.js';
import { scanConfigSchema } from '../../domain/config.js';
import { decodeRle } from '../../domain/geometry/rle.js';
import {
  type Calibration,
  calibrate,
  type JudgedCandidate,
  type JudgedImage,
} from '../../domain/scan/calibrate/calibrate.js';
import { learnClasses } from '../../domain/scan/calibrate/chunk/classes.js';
import { explainCandidate, explainImage } from '../../domain/scan/calibrate/explanation.js';
import { reduceScan, type ScanReduction } from '../../domain/scan/index.js';
import { partloopHome, ROOT } from '../../infra/home.js';
import { type BenchImage, type BenchSet, demoSet, givenLabel } from '../detect/data.js';
import { type Judged, judgedBy, SETTINGS } from '../detect/models.js';
import { wholeNumber } from '../detect/options.js';
import { analyseSet } from '../detect/scan.js';
import { interruption } from '../interrupt.js';
import { fixed, markdownTable, writeResults } from '../results.js';
import { writeFigure } from './figure.js';
import { predictionOf } from './look.js';
import { candidateTable, nameOf, stepTable, termTable } from './tables.js';

interface Options {
  seed: number;
  images?: number;
  iterations?: number;
  model?: string;
  image?: string;
  picture?: string;
}

/** A scanned set with everything that its probabilities were made of. */
interface Scanned {
  set: BenchSet;
  judged: Judged;
  calibration: Calibration;
  scan: ScanReduction;
}

/** `npm run bench -- explain`: the way of one finding on a rendered car, from its measurements to the verdict. */
export function explainCommand(): Command {
  return new Command('explain')
    .description('Follows one missing part of a rendered car from its measurements to its probability and the verdict')
    .option('--seed <n>', 'Seed of the set; its folds are those of `detect`', wholeNumber, 201)
    .option('--images <n>', 'Images of the set (default: 600)', wholeNumber)
    .option('--iterations <n>', 'Training iterations a fold (default: 800)', wholeNumber)
    .option('--model <file>', 'Judge with this scan.onnx instead of training folds')
    .option('--image <name>', 'File name of the image to explain; omitted, images with a missing part are listed')
    .option('--picture <file>', 'Write picture, label, prediction and proposal to this PNG')
    .action((options: Options) => explain(options, interruption()));
}

async function explain(options: Options, signal: AbortSignal): Promise<void> {
  const scanned = await scanDemo(options, signal);
  if (options.image === undefined) return printText(`\n${listed(scanned)}`);
  const image = scanned.calibration.judged.find(({ entry }) => entry.fileName === options.image);
  const item = image === undefined ? null : bestMissing(image);
  const source = scanned.set.images.find(({ fileName }) => fileName === options.image);
  if (image === undefined || item === null || source === undefined)
    throw new PartloopError('not-found', `${options.image} has no candidate for a missing part`, {
      hint: 'Without `--image` the command lists the images that have one.',
    });
  printText(`\n${await described(scanned, image, item)}`);
  if (options.picture !== undefined) await draw(options.picture, scanned, source, item);
}

async function scanDemo(options: Options, signal: AbortSignal): Promise<Scanned> {
  const { seed } = options;
  const { imageSize, iterations } = SETTINGS.demo;
  const set = await demoSet(seed, imageSize, options.images);
  const run = { seed, iterations: options.iterations ?? iterations, signal, onProgress: say };
  const judged = await judgedBy(options.model, set, partloopHome(), ROOT, run);
  signal.throwIfAborted();
  const { entries, classIou } = await analyseSet(set, judged, givenLabel, seed);
  const config = scanConfigSchema.parse({});
  const calibration = calibrate(entries, set.taxonomy, learnClasses(entries, set.taxonomy), config, classIou);
  return { set, judged, calibration, scan: reduceScan(entries, set.taxonomy, config, classIou) };
}

function bestMissing({ candidates }: JudgedImage): JudgedCandidate | null {
  const missing = candidates.filter(({ candidate }) => candidate.kind === 'missing_part');
  return missing.sort((a, b) => b.pOwnError - a.pOwnError)[0] ?? null;
}

/** Images with a reported missing part, and whether one was planted there. */
function listed({ set, calibration, scan }: Scanned): string {
  const rows = calibration.judged.flatMap((image, index) => {
    const item = bestMissing(image);
    const row = scan.images[index];
    if (item === null || row === undefined || !row.kinds.includes('missing_part')) return [];
    return [
      {
        image: image.entry.fileName,
        part: nameOf(item.candidate.suggestedClassId ?? 0, set.taxonomy),
        pixels: item.candidate.area,
        pWrong: item.pWrong,
        findings: row.findings,
        pMislabelled: fixed(row.pMislabelled),
        planted: set.images[index]?.planted?.kind ?? null,
      },
    ];
  });
  return markdownTable(rows.sort((a, b) => a.pWrong - b.pWrong).map((row) => ({ ...row, pWrong: fixed(row.pWrong) })));
}

/** The tables of one finding; its figures stand in a file too. */
async function described(
  { set, calibration, scan }: Scanned,
  image: JudgedImage,
  item: JudgedCandidate,
): Promise<string> {
  const ofPart = explainCandidate(calibration, image, item);
  const ofImage = explainImage(calibration, image);
  const row = scan.images.find(({ imageId }) => imageId === image.entry.imageId);
  const findings = scan.findings.filter(({ imageId }) => imageId === image.entry.imageId);
  const ofGroup = calibration.judged.flatMap(({ candidates }) =>
    candidates.filter(({ measured }) => measured.group === ofPart.group),
  ).length;
  const { quarantineAt, quarantined, images, overThreshold } = scan.summary;
  const { area, box, features, proposal } = item.candidate;
  const figures = { row, findings, ofPart, ofImage, ofGroup, summary: scan.summary };
  const path = await writeResults(partloopHome(), 'explain', 'latest', figures);
  return [
    `${image.entry.fileName}, ${nameOf(item.candidate.suggestedClassId ?? 0, set.taxonomy)}: ${area} pixels in [${box}], ${
      findings.length
    } findings`,
    candidateTable(image, set.taxonomy),
    markdownTable([Object.fromEntries(Object.entries(features).map(([name, value]) => [name, fixed(value)]))]),
    termTable(ofPart),
    `${stepTable(ofPart)}\n\nThe share is of the ${ofGroup} candidates of this kind in the chunk.`,
    `pModel ${fixed(item.pModel)}, pWrong ${fixed(item.pWrong)}, pOwnError ${fixed(item.pOwnError)}; proposal: ${
      proposal?.length ?? 0
    } run lengths`,
    termTable(ofImage),
    stepTable(ofImage),
    `pMislabelled ${fixed(row?.pMislabelled)}, threshold ${fixed(quarantineAt, 2)}: ${
      row?.quarantined ? 'set aside' : 'kept'
    }; ${overThreshold} of ${images} images over the threshold, ${quarantined} set aside`,
    path,
  ].join('\n\n');
}

async function draw(
  path: string,
  { set, judged }: Scanned,
  source: BenchImage,
  { candidate, pWrong }: JudgedCandidate,
): Promise<void> {
  const side = set.imageSize;
  const judge = judged.judges[judged.folds[set.images.indexOf(source)] ?? 0];
  if (judge === undefined || candidate.proposal === null) return;
  const name = nameOf(candidate.suggestedClassId ?? 0, set.taxonomy);
  const sure = candidate.features.confidence.toFixed(2);
  await writeFigure(path, {
    picture: source.bytes,
    side,
    given: givenLabel(source),
    prediction: await predictionOf(judge.scanPath, source.bytes, side),
    proposal: decodeRle(candidate.proposal, side, side),
    suggested: candidate.suggestedClassId,
    captions: [
      ['Picture', source.fileName.replace(/^.*\//, '')],
      ['Given label', 'no part inside the line'],
      ["Judge's prediction", `${name}: ${sure}`],
      ['Proposed mask', `${candidate.area} pixels, P = ${pWrong.toFixed(2)}`],
    ],
  });
}
