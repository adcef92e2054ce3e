import { readFile } from 'node:fs/promises';
import { PartloopError } from '../../domain/base/errors.js';
import { PROBABILITIES } from '../../domain/scan/probabilities.js';
import { type Calibrated, calibrationOf, type Ranking, rankingOf } from './score.js';

export interface TruthScore {
  images: number;
  wrong: number;
  /** Images of the scan that the truth does not name, and vice versa. */
  unknown: number;
  unscanned: number;
  ranking: Ranking;
  calibration: Calibrated;
}

/**
 * Compare a scan's `images.csv` (columns `file_name` and `p_mislabelled`) with a CSV with the columns `file_name` and
 * `wrong` (0, 1, true or false).
 *
 * @throws PartloopError `input-invalid` naming the file and the line
 */
export async function scoreTruthFile(truthFile: string, imagesFile: string): Promise<TruthScore> {
  const truth = new Map(
    (await readCsv(truthFile, ['file_name', 'wrong'])).map(({ line, values }) => {
      const [name, wrong] = values as [string, string];
      if (!/^(0|1|true|false)$/i.test(wrong))
        throw new PartloopError('input-invalid', `${truthFile}, line ${line}: wrong is \`${wrong}\``, {
          hint: 'It must be 0, 1, true or false.',
        });
      return [name, /^(1|true)$/i.test(wrong)] as const;
    }),
  );
  const scores: number[] = [];
  const wrong: boolean[] = [];
  let unknown = 0;
  const scanned = new Set<string>();
  for (const { line, values } of await readCsv(imagesFile, ['file_name', PROBABILITIES.pMislabelled.column])) {
    const [name, text] = values as [string, string];
    const probability = text === '' ? Number.NaN : Number(text);
    if (!(probability >= 0 && probability <= 1))
      throw new PartloopError(
        'input-invalid',
        `${imagesFile}, line ${line}: ${PROBABILITIES.pMislabelled.column} is \`${text}\``,
      );
    scanned.add(name);
    const known = truth.get(name);
    if (known === undefined) {
      unknown++;
      continue;
    }
    scores.push(probability);
    wrong.push(known);
  }
  if (scores.length === 0)
    throw new PartloopError('input-invalid', `${truthFile} and ${imagesFile} have no image in common`, {
      hint: 'Both name images by `file_name`.',
    });
  return {
    images: scores.length,
    wrong: wrong.filter(Boolean).length,
    unknown,
    unscanned: [...truth.keys()].filter((name) => !scanned.has(name)).length,
    ranking: rankingOf(scores, wrong),
    calibration: calibrationOf(scores, wrong),
  };
}

/** The named columns of a CSV file with a header (RFC 4180 quoting), with line numbers. */
async function readCsv(path: string, columns: readonly string[]): Promise<{ line: number; values: string[] }[]> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new PartloopError('input-invalid', `${path} cannot be read`, { cause });
  });
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const header = cells(lines[0] ?? '');
  const places = columns.map((name) => {
    const place = header.indexOf(name);
    if (place < 0)
      throw new PartloopError('input-invalid', `${path} has no column \`${name}\``, {
        hint: `Its first line is \`${(lines[0] ?? '').slice(0, 200)}\`.`,
      });
    return place;
  });
  return lines.slice(1).flatMap((line, index) => {
    if (line === '') return [];
    const all = cells(line);
    return [{ line: index + 2, values: places.map((place) => all[place] ?? '') }];
  });
}

function cells(line: string): string[] {
  const found: string[] = [];
  const pattern = /(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g;
  for (const match of line.matchAll(pattern)) found.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
  return found;
}
