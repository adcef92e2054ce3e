import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { scanConfigSchema } from '../../domain/config.js';
import { reduceScan } from '../../domain/scan/index.js';
import type { ChunkRow, FindingRow } from '../../domain/tables.js';
import { tagsSchema } from '../../domain/tags.js';
import { type ScannedImage, scanRows } from '../../inference/sessions/scanPipeline.js';
import { openSessions, type SessionPool } from '../../inference/sessions/sessions.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { encodeLabel } from '../../storage/pictures/labelMask.js';
import { chunkRow } from '../domain/sample/rows.js';
import { hasPython, PYTHON, writeSeer } from '../support/models/tinyModel.js';
import { TAXONOMY } from '../support/pictures/pictures.js';
import { png } from '../support/pictures/png.js';
import { startTestStore, type TestStore } from '../support/servers/s3.js';

/** Side of the model's canvas and of the pictures; their left half is red, which the model sees as class 1. */
const SIDE = 64;
const HUGE = 20_000;
/** Kilobytes by which the process may grow; one 20,000 × 20,000 picture in three colours takes 1,200,000. */
const MOST_GROWTH_KB = 400_000;

type Judgement = 'right' | RegExp;
interface Case {
  name: string;
  image: Buffer | Promise<Buffer>;
  label?: Buffer | Promise<Buffer>;
  width?: number;
  height?: number;
  /** `right`: judged, and label and prediction agree; else the text of the error. */
  expect: Judgement;
}

const halves = (red: number, dark: number, bytes = 3): number[] =>
  Array.from({ length: SIDE * SIDE * bytes }, (_, at) => {
    const left = Math.floor(at / bytes) % SIDE < SIDE / 2;
    return at % bytes === 0 || bytes === 1 ? (left ? red : dark) : dark;
  });
const raw = { width: SIDE, height: SIDE };
const picture = (channels: 1 | 3 = 3) =>
  sharp(Uint8Array.from(halves(220, 20, channels)), { raw: { ...raw, channels } });
const label = (pixels: number[] = halves(1, 0, 1)): Promise<Buffer> => encodeLabel(Uint8Array.from(pixels), SIDE, SIDE);

/** A real picture of one bit a pixel: some kilobytes that unpack to 400 million pixels. */
const hugePng = (): Buffer => png({ width: HUGE, height: HUGE, depth: 1 }, Buffer.alloc(HUGE * (1 + HUGE / 8)));

async function animated(): Promise<Buffer> {
  const first = await picture().png().toBuffer();
  const second = await sharp(first).flop().png().toBuffer();
  return sharp([first, second], { join: { animated: true } })
    .webp({ lossless: true })
    .toBuffer();
}

const wide = (channels: 1 | 3) =>
  sharp(
    Uint16Array.from(halves(220, 20, channels), (value) => value * 257),
    { raw: { ...raw, channels } },
  )
    .toColourspace(channels === 1 ? 'grey16' : 'rgb16')
    .png()
    .toBuffer();

/** Everything that a shard must survive, among good pictures. */
function poison(): Case[] {
  const huge = hugePng();
  const good = picture().png().toBuffer();
  const jpeg = picture().jpeg({ quality: 95 }).toBuffer();
  const size = { width: HUGE, height: HUGE };
  return [
    { name: 'good.png', image: good, expect: 'right' },
    { name: 'text.jpg', image: Buffer.from('no picture'), expect: /text\.jpg cannot be decoded/ },
    { name: 'empty.jpg', image: Buffer.alloc(0), expect: /empty\.jpg cannot be decoded/ },
    { name: 'cut.jpg', image: jpeg.then((bytes) => bytes.subarray(0, -60)), expect: /cut\.jpg cannot be decoded/ },
    {
      name: 'one.png',
      image: picture().extract({ left: 0, top: 0, width: 1, height: 1 }).png().toBuffer(),
      label: encodeLabel(Uint8Array.of(1), 1, 1),
      width: 1,
      height: 1,
      expect: 'right',
    },
    { name: 'huge.png', image: huge, label: huge, ...size, expect: /(label of )?huge\.png .*pixel/ },
    { name: 'huge-label.png', image: good, label: huge, ...size, expect: /label of huge-label\.png has 20000×20000/ },
    { name: 'cmyk.jpg', image: picture().toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer(), expect: 'right' },
    { name: 'deep.png', image: wide(3), expect: 'right' },
    { name: 'deep-grey.png', image: wide(1), expect: 'right' },
    { name: 'grey.jpg', image: picture(1).toColourspace('b-w').jpeg({ quality: 95 }).toBuffer(), expect: 'right' },
    { name: 'palette.png', image: picture().png({ palette: true, colours: 4 }).toBuffer(), expect: 'right' },
    { name: 'clear.png', image: picture().ensureAlpha(0.99).png().toBuffer(), expect: 'right' },
    {
      name: 'turned.jpg',
      // Stored lying on its side; upright its left half is red again.
      image: picture().rotate(-90).withMetadata({ orientation: 6 }).jpeg({ quality: 95 }).toBuffer(),
      expect: 'right',
    },
    { name: 'moving.webp', image: animated(), expect: 'right' },
    {
      name: 'narrow.png',
      image: picture()
        .resize(SIDE / 2, SIDE, { fit: 'fill' })
        .png()
        .toBuffer(),
      expect: /narrow\.png does not have the shape of its import, 64×64/,
    },
    {
      name: 'unknown-class.png',
      image: good,
      label: label(halves(1, 0, 1).with(SIDE * SIDE - 1, 40)),
      expect: /label of unknown-class\.png has value 40; the taxonomy ends at 3/,
    },
    {
      name: 'deep-label.png',
      image: good,
      label: wide(1),
      expect: /label of deep-label\.png has 16 bits per pixel/,
    },
    {
      name: 'bomb-label.png',
      image: good,
      label: png({ width: SIDE, height: SIDE, depth: 8 }, Buffer.alloc(300_000_000)),
      expect: /label of bomb-label\.png .*unpacks to more than its header says/,
    },
    { name: 'colour-label.png', image: good, label: good, expect: /label of colour-label\.png is a colour PNG/ },
    { name: 'gone.png', image: picture().negate().png().toBuffer(), expect: /there is no object images\/gone\.png/ },
  ];
}

describe('a shard of poisonous files', function () {
  this.timeout(240_000);
  let folder: string;
  let server: TestStore;
  let store: ObjectStore;
  let sessions: SessionPool;

  before(async function () {
    if (!hasPython) {
      console.log(`      skipped: ${PYTHON} is missing; npm run bootstrap installs it`);
      return this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), 'pl-'));
    server = await startTestStore();
    store = server.open('poison');
    const modelPath = await writeSeer(join(folder, 'seer.onnx'), SIDE, TAXONOMY.classes.length);
    sessions = await openSessions(1, { modelPath, name: 'seer.onnx', threads: 1, taxonomy: TAXONOMY });
  });
  after(async () => {
    await sessions?.close();
    await server?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  /** Put a case into the store, and its row into the shard. */
  async function stored(
    { name, image, label: given, width = SIDE, height = SIDE }: Case,
    n: number,
  ): Promise<ChunkRow> {
    const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
    const [bytes, mask] = await Promise.all([image, given ?? label()]);
    const [imageUri, labelUri] = [`images/${name}`, `labels/${name}`];
    await Promise.all([store.put(imageUri, bytes), store.put(labelUri, mask)]);
    const known = { imageUri, imageId: sha256(bytes), labelUri, labelSha256: sha256(mask) };
    return chunkRow(n, { fileName: name, width, height, ...known });
  }

  /** Deletes an object on the server at the moment it is asked for: it was there when the scan began. */
  const losing = (key: string): ObjectStore => ({
    ...store,
    get: async (asked, ifMatch) => {
      if (asked === key) await store.delete([key]);
      return store.get(asked, ifMatch);
    },
  });

  async function scanned(cases: readonly Case[], from: ObjectStore): Promise<ScannedImage[]> {
    const rows = await Promise.all(cases.map(stored));
    const found: ScannedImage[] = [];
    await scanRows({
      store: from,
      pool: 'cars',
      rows,
      sessions,
      seed: 1,
      injectShare: 1,
      signal: new AbortController().signal,
      onScanned: (image, index) => {
        found[index] = image;
      },
    });
    return found;
  }

  it('ends in bounded memory, and each file is judged right or named with its reason', async () => {
    const cases = poison();
    await Promise.all(cases.map(({ image, label: given }) => Promise.all([image, given])));
    const before = process.resourceUsage().maxRSS;
    const found = await scanned(cases, losing('images/gone.png'));
    assert.ok(process.resourceUsage().maxRSS - before < MOST_GROWTH_KB);
    for (const [n, { name, expect }] of cases.entries()) {
      const { analysis, error } = found[n] as ScannedImage;
      if (expect === 'right') {
        assert.equal(error, null, name);
        assert.ok((analysis?.statistics.agreement ?? 0) > 0.9, `${name} agrees by ${analysis?.statistics.agreement}`);
      } else {
        assert.equal(analysis, null, name);
        assert.match(error ?? '', expect);
      }
    }
  });

  it('gives a row for every image, and a finding with the reason for each unjudged one', async () => {
    const cases = poison();
    const found = await scanned(cases, losing('images/gone.png'));
    const entries = found.map(({ row, analysis, error }) => ({
      imageId: row.imageId,
      fileName: row.fileName,
      labelSha256: row.labelSha256,
      tags: tagsSchema.parse(row),
      cluster: row.cluster,
      analysis,
      error,
      model: 'seer',
    }));
    const { images, findings } = reduceScan(entries, TAXONOMY, scanConfigSchema.parse({}), {});
    assert.equal(images.length, cases.length);
    const unreadable = findings.filter((finding: FindingRow) => finding.kind === 'unreadable');
    const bad = cases.filter(({ expect }) => expect !== 'right');
    assert.deepEqual(unreadable.map(({ fileName }) => fileName).sort(), bad.map(({ name }) => name).sort());
    assert.ok(unreadable.every(({ evidence }) => JSON.parse(evidence).error.length > 0));
  });

  it('calls a label that is ignored everywhere empty if a car is visible, and accepts it otherwise', async () => {
    const ignored = label(new Array(SIDE * SIDE).fill(255));
    const dark = sharp({ create: { ...raw, channels: 3, background: '#101010' } });
    const [car, nothing] = await scanned(
      [
        { name: 'car.png', image: picture().png().toBuffer(), label: ignored, expect: 'right' },
        { name: 'nothing.png', image: dark.png().toBuffer(), label: ignored, expect: 'right' },
      ],
      store,
    );
    assert.deepEqual(
      car?.analysis?.candidates.map(({ kind }) => kind),
      ['empty_label'],
    );
    assert.deepEqual(nothing?.analysis?.candidates, []);
  });
});
