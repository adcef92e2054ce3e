import assert from 'node:assert/strict';
import { HEIGHT, readBack, saveJson, WIDTH } from '../../pool/review/kit.js';
import { exportedImage, image, raster } from '../exportedImage.js';

describe('an export of Label Studio', function () {
  this.timeout(60_000);
  const exported = exportedImage();

  const region = (label: string, points: [number, number][], more: object = {}) => ({
    ...{ type: 'polygonlabels', original_width: WIDTH, original_height: HEIGHT, image_rotation: 0 },
    value: { points, polygonlabels: [label] },
    ...more,
  });
  const left = region('hood', [
    [0, 0],
    [(6 / WIDTH) * 100, 0],
    [(6 / WIDTH) * 100, 100],
    [0, 100],
  ]);
  const leftHalf = Uint8Array.from(raster, (_, pixel) => (pixel % WIDTH < 6 ? 1 : 0));
  const readTasks = async (tasks: unknown) =>
    (await readBack(await saveJson(exported.folder, 'tasks.json', tasks), exported.manifest)).get(image.imageId);
  const data = { image: '/data/upload/3/0f3-1.jpg', partloop_image_id: image.imageId };

  it('keeps our id although it renames pictures; brushes and polygons may be mixed', async () => {
    assert.deepEqual(
      await readTasks([{ id: 1, data, annotations: [{ result: [left, { type: 'choices' }] }] }]),
      leftHalf,
    );
  });

  it('counts with its latest annotation, never with a skipped one', async () => {
    const annotations = [
      { updated_at: '2026-01-02T00:00:00Z', result: [left] },
      { updated_at: '2026-01-01T00:00:00Z', result: [] },
      { updated_at: '2026-01-03T00:00:00Z', was_cancelled: true, result: [] },
    ];
    assert.deepEqual(await readTasks([{ data, annotations }]), leftHalf);
    const zones = [
      { updated_at: '2026-01-01T23:30:00-05:00', result: [left] },
      { updated_at: '2026-01-02T03:00:00Z', result: [] },
    ];
    assert.deepEqual(await readTasks([{ data, annotations: zones }]), leftHalf);
    assert.match(String(await readTasks([{ data, annotations: annotations.slice(2) }])), /nobody annotated it/);
  });

  it('is refused for regions of other kinds, by name, but not for regions without pixels', async () => {
    const box = { x: 10, y: 10, width: 40, height: 25, rotation: 0 };
    for (const type of [
      'rectanglelabels',
      'ellipselabels',
      'keypointlabels',
      'bitmasklabels',
      'vectorlabels',
      'labels',
    ]) {
      const other = { ...left, type, value: { ...box, [type]: ['hood'] } };
      for (const result of [[other], [left, other]])
        assert.match(String(await readTasks([{ data, annotations: [{ result }] }])), new RegExp(`kind ${type},`));
    }
    const words = ['choices', 'textarea', 'relation', 'rating', 'number'].map((type) => ({ type, value: box }));
    assert.deepEqual(await readTasks([{ data, annotations: [{ result: [...words, left] }] }]), leftHalf);
    assert.match(String(await readTasks([{ data, annotations: [{ result: [{ value: box }] }] }])), /kind unknown/);
  });

  it('is refused if a region has several labels', async () => {
    const two = { ...left, value: { ...left.value, polygonlabels: ['hood', 'wheel'] } };
    assert.match(String(await readTasks([{ data, annotations: [{ result: [two] }] }])), /has several labels/);
  });

  it('is refused if a picture was rotated in the tool, or has another size there', async () => {
    const turned = { ...left, image_rotation: 90 };
    assert.match(String(await readTasks([{ data, annotations: [{ result: [turned] }] }])), /rotated by 90°/);
    const other = { ...left, original_width: HEIGHT, original_height: WIDTH };
    assert.match(String(await readTasks([{ data, annotations: [{ result: [other] }] }])), /EXIF orientation/);
  });
});
