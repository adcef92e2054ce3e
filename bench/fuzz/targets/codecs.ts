import { check } from '../../../domain/base/checked.js';
import { connectedComponents, skipValues } from '../../../domain/geometry/components.js';
import { segmentationSchema, segmentationShape } from '../../../formats/coco/segmentation.js';
import { decodeBrush, encodeBrush } from '../../../formats/labelStudio/brush.js';
import { paintShapes } from '../../../formats/paint.js';
import { decodeLabel, encodeLabel } from '../../../storage/pictures/labelMask.js';
import { mutateBytes } from '../mutateBytes.js';
import { mutateJson } from '../mutateJson.js';
import { mutatePng } from '../mutatePicture.js';
import { NUMBERS } from '../nasty.js';
import { BrokenPromise, once, type Target } from '../target.js';

const png = once(() =>
  encodeLabel(
    Uint8Array.from({ length: 600 }, (_, pixel) => pixel % 4),
    30,
    20,
  ),
);

/** Codecs by themselves, with sizes of their own: pictures of one pixel and of a hundred million. */
export const codecs: Target[] = [
  {
    name: 'label-png',
    share: 80,
    async run(choices) {
      const { pixels, width, height } = await decodeLabel(mutatePng(await png(), choices));
      if (pixels.length !== width * height)
        throw new BrokenPromise(`${pixels.length} pixels of a label of ${width}×${height}`);
      return 'read';
    },
  },
  {
    name: 'brush-mask',
    share: 60,
    async run(choices) {
      const pixels = choices.size(choices.chance(0.05) ? 1e8 : 1e5) + 1;
      const from = choices.below(pixels);
      const whole = encodeBrush(Int32Array.of(from, Math.min(pixels, from + 1 + choices.below(pixels))), pixels);
      const runs = decodeBrush([...mutateBytes(Uint8Array.from(whole), choices)], pixels);
      for (let run = 0; run < runs.length; run++)
        if ((runs[run] as number) > pixels || (run > 0 && (runs[run] as number) <= (runs[run - 1] as number)))
          throw new BrokenPromise(`run ${run} of a mask of ${pixels} pixels is at ${runs[run]}`);
      return 'read';
    },
  },
  {
    name: 'segmentation',
    share: 100,
    async run(choices) {
      const canvas = { width: choices.size(2_000) + 1, height: choices.size(2_000) + 1 };
      const ring = Array.from({ length: 2 * (3 + choices.size(20_000)) }, () =>
        choices.chance(0.05) ? choices.pick(NUMBERS) : choices.below(2_000 * 16) / 16,
      );
      const plain = choices.pick([
        [ring],
        [ring, [0, 0, canvas.width, 0, canvas.width, canvas.height]],
        { size: [canvas.height, canvas.width], counts: [0, canvas.width * canvas.height] },
        { size: [canvas.height, canvas.width], counts: 'PQ2`0\\1'.repeat(choices.size(500)) },
      ]);
      const { data, problem } = check(segmentationSchema, choices.chance(0.5) ? plain : mutateJson(plain, choices));
      if (problem !== null) return 'refused';
      const shape = segmentationShape(data, 1, canvas);
      const raster = paintShapes([shape], canvas);
      let painted = 0;
      for (const value of raster) painted += value;
      if (painted !== shape.area) throw new BrokenPromise(`a shape of ${shape.area} pixels painted ${painted}`);
      connectedComponents(raster, canvas.width, canvas.height, skipValues(0));
      return 'painted';
    },
  },
];
