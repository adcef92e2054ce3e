import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { drawShapes, SHAPES, type ShapesData } from '../../bench/audit/shapes.js';
import { parseTaxonomy } from '../../domain/taxonomy.js';
import { partloop, partloopJson } from '../support/cli.js';

const IMAGES = 16;
const foundSchema = z.object({
  pool: z.string(),
  scan: z.string(),
  judged: z.number(),
  share: z.object({ value: z.number(), low: z.number(), high: z.number() }),
  suspects: z.array(z.object({ image: z.string() })),
});
const annotationSchema = z.looseObject({ id: z.number(), image_id: z.number(), category_id: z.number() });
const fileSchema = z.looseObject({
  images: z.array(z.looseObject({ id: z.number(), partloop_image_id: z.string().optional() })),
  categories: z.array(z.looseObject({ id: z.number() })),
  annotations: z.array(annotationSchema),
});
/** The smallest network: these tests do not depend on how well it judges. */
const SMALL = [
  ...['--set', 'train.preset=test_efficientnet', 'train.weights=random', 'train.iterations=3'],
  ...['train.imageSize=64', 'train.batchSize=4'],
];

describe('an audit', function () {
  this.timeout(6 * 60_000);
  let folder: string;
  let home: string;
  let shapes: ShapesData;
  let report: string;
  let call: string[];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-audit-'));
    home = join(folder, 'home');
    shapes = await drawShapes({ folder, images: IMAGES, size: 64, wrongShare: 0.25, seed: 1 });
    report = join(folder, 'found.html');
    call = ['audit', '--images', shapes.images, '--annotations', shapes.annotations, '--out', report];
  });
  after(async () => {
    await partloop(home, ['down']);
    await rm(folder, { recursive: true, force: true });
  });

  it('goes from a COCO file to its most suspect labels with one command and no stack, pool or taxonomy', async () => {
    const { code, stdout, stderr } = await partloop(home, [...call, ...SMALL, '--json']);
    assert.equal(code, 0, stderr);
    const found = foundSchema.parse(JSON.parse(stdout));
    assert.equal(found.judged, IMAGES, stderr);
    assert.ok(found.share.low <= found.share.value && found.share.value <= found.share.high);
    assert.ok(found.suspects.every(({ image }) => shapes.truth.has(image)));
    assert.match(stderr, /Starting the local stack/);
    assert.match(stderr, new RegExp(`/review/${found.scan}\\n`));
    const { scans } = z
      .object({ scans: z.array(z.looseObject({ scan: z.string(), pool: z.string() })) })
      .parse(await partloopJson(home, ['scan', 'list']));
    assert.deepEqual(
      scans.map(({ scan, pool }) => ({ scan, pool })),
      [{ scan: found.scan, pool: found.pool }],
    );
  });

  it('leaves a report that needs nothing else, with pictures of the suspect labels', async () => {
    const page = await readFile(report, 'utf8');
    assert.match(page, /labels judged/);
    assert.doesNotMatch(page, /<script|src="http/);
    if (page.includes('<figure>')) assert.match(page, /src="data:image\/webp;base64,/);
  });

  it('leaves a taxonomy to edit, which the next call takes for another pool', async () => {
    const path = join(folder, 'found.taxonomy.json');
    const taxonomy = parseTaxonomy(JSON.parse(await readFile(path, 'utf8')), path);
    assert.deepEqual(
      taxonomy.classes.map(({ name }) => name),
      [...SHAPES],
    );
  });

  it('goes on with finished work if it is called again', async () => {
    const { code, stderr } = await partloop(home, [...call, ...SMALL]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /scan \S+ is done already/);
    const { scans } = z.object({ scans: z.array(z.unknown()) }).parse(await partloopJson(home, ['scan', 'list']));
    assert.equal(scans.length, 1);
  });

  it('writes the annotation file, equal to the original until a correction is accepted, then with it alone', async () => {
    const written = join(folder, 'corrected', 'shapes.json');
    const write = async () => {
      const { corrected } = z
        .object({ corrected: z.object({ file: z.string(), images: z.number(), leftOut: z.array(z.unknown()) }) })
        .parse(await partloopJson(home, [...call, ...SMALL, '--write', written]));
      assert.deepEqual([corrected.file, corrected.leftOut], [written, []]);
      return corrected.images;
    };
    const original = await readFile(shapes.annotations, 'utf8');
    assert.equal(await write(), 0);
    assert.equal(await readFile(written, 'utf8'), original);

    const out = join(folder, 'review');
    const { scan } = foundSchema.parse(await partloopJson(home, [...call, ...SMALL]));
    const all = ['--all-images', '--all-classes'];
    await partloopJson(home, ['scan', 'export', scan, '--format', 'coco', ...all, '--out', out]);
    const path = join(out, 'annotations.json');
    const exported = fileSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    const [first] = exported.annotations;
    assert.ok(first !== undefined);
    const image = exported.images.find(({ id }) => id === first.image_id)?.partloop_image_id;
    const other = exported.categories.find(({ id }) => id !== first.category_id)?.id;
    const edited = exported.annotations.map((one) => (one === first ? { ...one, category_id: other } : one));
    await writeFile(path, JSON.stringify({ ...exported, annotations: edited }));
    const { revised } = z.object({ revised: z.number() }).parse(await partloopJson(home, ['review', 'import', path]));
    assert.deepEqual([revised, typeof image], [1, 'string']);

    assert.equal(await write(), 1);
    const before = fileSchema.parse(JSON.parse(original));
    const after = fileSchema.parse(JSON.parse(await readFile(written, 'utf8')));
    assert.deepEqual({ ...after, annotations: [] }, { ...before, annotations: [] });
    const differing = after.annotations.filter((one, at) => !isDeepStrictEqual(one, before.annotations[at]));
    assert.equal(differing.length, 1);
    assert.deepEqual([after.annotations.length, differing[0]?.category_id], [before.annotations.length, other]);

    await partloopJson(home, ['review', 'undo', foundSchema.parse(await partloopJson(home, [...call, ...SMALL])).pool]);
    assert.equal(await write(), 0);
    assert.equal(await readFile(written, 'utf8'), original);
  });

  it('refuses what is no COCO file, and names what is missing', async () => {
    const { code, stderr } = await partloop(home, ['audit', '--images', folder, '--annotations', report]);
    assert.equal(code, 2);
    assert.match(stderr, /found\.html/);
  });
});
