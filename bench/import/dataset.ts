import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { link, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Taxonomy } from '../../domain/taxonomy.js';
import { forEachLimited } from '../../storage/parallel.js';
import { drawMask, drawPicture, SIZE } from './picture.js';

/** Pictures of one folder: they are made together, and noted when all are there. */
const BLOCK = 250;
const IN_PARALLEL = 4;
const PICTURES_PER_VEHICLE = 3;
/** Numbers of test pictures begin here: no training picture has one. */
export const FIRST_TEST = 10_000_000;

export interface DatasetRequest {
  /** Kept between runs; what is there is not made again. */
  folder: string;
  /** Numbers of the pictures: `count` of them from `from` on. */
  from: number;
  count: number;
  taxonomy: Taxonomy;
  say(text: string): void;
}

const place = (number: number, kind: 'jpg' | 'png'): string => `${Math.floor(number / BLOCK)}/${number}.${kind}`;
const vehicleOf = (number: number): string => `vehicle-${Math.floor(number / PICTURES_PER_VEHICLE)}`;

/** Make the pictures and masks of whole blocks that hold the numbers; those that are there stay. */
async function makeBlocks({ folder, from, count, taxonomy, say }: DatasetRequest): Promise<number[]> {
  const first = Math.floor(from / BLOCK);
  const last = Math.floor((from + count - 1) / BLOCK);
  const blocks = Array.from({ length: last - first + 1 }, (_, at) => first + at);
  for (const block of blocks) {
    if (existsSync(annotationsOf(folder, block))) continue;
    say(`pictures ${block * BLOCK} to ${(block + 1) * BLOCK - 1} …`);
    await makeBlock(folder, block, taxonomy);
  }
  return blocks;
}

const annotationsOf = (folder: string, block: number): string => join(folder, 'pictures', `${block}.jsonl`);

async function makeBlock(folder: string, block: number, taxonomy: Taxonomy): Promise<void> {
  const pictures = join(folder, 'pictures');
  await mkdir(join(pictures, String(block)), { recursive: true });
  const numbers = Array.from({ length: BLOCK }, (_, at) => block * BLOCK + at);
  const lines: string[] = [];
  await forEachLimited(numbers, IN_PARALLEL, async (number, at) => {
    const { jpeg, parts } = await drawPicture(number, taxonomy.classes.length);
    await writeFile(join(pictures, place(number, 'jpg')), jpeg);
    await writeFile(join(pictures, place(number, 'png')), await drawMask(parts));
    const annotations = parts.map(({ value, ring }, part) => ({
      ...{ id: number * 100 + part, image_id: number, category_id: value },
      ...{ segmentation: [ring], iscrowd: 0 },
    }));
    lines[at] = annotations.map((annotation) => JSON.stringify(annotation)).join(',\n');
  });
  const path = annotationsOf(folder, block);
  await writeFile(`${path}.part`, `${lines.join(',\n')}\n`);
  await rename(`${path}.part`, path);
}

const numbersOf = ({ from, count }: DatasetRequest): number[] => Array.from({ length: count }, (_, at) => from + at);

/** The pictures as a COCO data set; every twentieth vehicle is a test vehicle if `withTest`. */
export async function cocoDataset(
  request: DatasetRequest,
  { withTest }: { withTest: boolean },
): Promise<{ images: string; annotations: string }> {
  const { folder, from, count, taxonomy } = request;
  const blocks = await makeBlocks(request);
  const images = join(folder, 'pictures');
  const annotations = join(folder, `coco-${from}-${count}${withTest ? '-test' : ''}.json`);
  if (existsSync(annotations)) return { images, annotations };
  const categories = taxonomy.classes.map(({ name }, index) => ({ id: index + 1, name }));
  async function* text(): AsyncGenerator<string> {
    yield `{"categories":${JSON.stringify(categories)},\n"images":[`;
    for (const [at, number] of numbersOf(request).entries()) {
      const isTest = withTest && Math.floor(number / PICTURES_PER_VEHICLE) % 20 === 0;
      const facts = { vehicle_id: vehicleOf(number), ...(isTest ? { split: 'test' } : {}) };
      const image = { id: number, file_name: place(number, 'jpg'), ...SIZE, tags: facts };
      yield `${at === 0 ? '' : ',\n'}${JSON.stringify(image)}`;
    }
    yield '],\n"annotations":[\n';
    let isFirst = true;
    for (const block of blocks)
      for await (const line of createInterface({ input: createReadStream(annotationsOf(folder, block)) })) {
        const number = Number(/"image_id":(\d+)/.exec(line)?.[1]);
        if (number < from || number >= from + count) continue;
        yield `${isFirst ? '' : ',\n'}${line.replace(/,$/, '')}`;
        isFirst = false;
      }
    yield ']}\n';
  }
  await pipeline(Readable.from(text()), createWriteStream(`${annotations}.part`));
  await rename(`${annotations}.part`, annotations);
  return { images, annotations };
}

/** The pictures with index masks as a folder to send as a drop; its files are those of the data set, not copies. */
export async function maskDrop(request: DatasetRequest): Promise<{ drop: string; manifest: string }> {
  const { folder, from, count } = request;
  const blocks = await makeBlocks(request);
  const drop = join(folder, `drop-${from}-${count}`);
  const manifest = join(drop, 'manifest.jsonl');
  if (existsSync(manifest)) return { drop, manifest };
  await rm(drop, { recursive: true, force: true });
  for (const block of blocks) await mkdir(join(drop, String(block)), { recursive: true });
  const lines: string[] = [];
  for (const number of numbersOf(request)) {
    for (const kind of ['jpg', 'png'] as const)
      await link(join(folder, 'pictures', place(number, kind)), join(drop, place(number, kind)));
    const files = { image: place(number, 'jpg'), label: place(number, 'png') };
    lines.push(JSON.stringify({ ...files, vehicleId: vehicleOf(number) }));
  }
  await writeFile(`${manifest}.part`, `${lines.join('\n')}\n`);
  await rename(`${manifest}.part`, manifest);
  return { drop, manifest };
}
