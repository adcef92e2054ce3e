import { PartloopError } from '../../../domain/base/errors.js';
import { REVIEW_FORMATS, readManifest } from '../../../formats/manifest.js';
import { openReturned } from '../../../formats/reading/readers.js';
import { readTagFile } from '../../../formats/reading/tagFile.js';
import { readClassNames } from '../../../formats/yolo/dataYaml.js';
import { joinImages } from '../../../pool/review/joinImages.js';
import { readVerdictFile } from '../../../pool/review/verdictFile.js';
import { mutateBytes, mutateText } from '../mutateBytes.js';
import { BrokenPromise, type Target } from '../target.js';
import { exported, spoilExport } from './review.js';

/** The readers of returned files, without a pool: fast, so that they get most of the cases. */
const returned: Target[] = REVIEW_FORMATS.map((format) => ({
  name: `read-${format}`,
  share: 110,
  async run(choices, folder) {
    const { files } = await exported[format]();
    await folder.writeAll(spoilExport(files, choices).files);
    const manifest = await readManifest(folder.path, undefined);
    const { read, path } = await openReturned(folder.path);
    const returned = await read(path, manifest);
    joinImages(manifest, returned);
    let refused = 0;
    // Whichever picture it is: one that fits none of the export is read like the first.
    for (const found of returned.images) {
      const image = manifest.images.find(({ imageId }) => imageId === found.imageId) ?? manifest.images[0];
      if (image === undefined) continue;
      try {
        const { raster } = await found.read(image);
        if (raster.length !== image.width * image.height)
          throw new BrokenPromise(`${found.name} has ${raster.length} pixels, not ${image.width}×${image.height}`);
      } catch (error) {
        if (!(error instanceof PartloopError)) throw error;
        refused += 1;
      }
    }
    return refused > 0 ? 'some refused' : 'read';
  },
}));

const YAML = `path: . # here
train: images.txt
names: &all
  0: hood # first
  1: 'left door'
  2: "wheel"
more: *all
list: [a, {b: c}, "d"]
`;

const CSV = `image_id,file_name,kind,class,suggested_class,bbox,verdict,reviewer,comment
${'a'.repeat(64)},1.jpg,missing_part,background,mirror,0 0 20 20,wrong,me,"said, ""so"""
${'b'.repeat(64)},2.jpg,wrong_class,hood,wheel,0 0 5 5,accept,,
${'c'.repeat(64)},3.jpg,hole,hood,,1 1 2 2,,,
`;

const TAGS = `file_name,angle,vehicle,split,vehicle_id
1.jpg,15,sedan,train,a
"2,3.jpg",,van,,"b ""c"""
`;

/** Texts that one of our readers takes: mostly still text, now and then any bytes. */
const texts: Target[] = [
  { name: 'read-data-yaml', share: 100, file: 'data.yaml', text: YAML, read: readClassNames },
  { name: 'read-verdicts', share: 25, file: 'verdicts.csv', text: CSV, read: readVerdictFile },
  { name: 'read-tags', share: 25, file: 'tags.csv', text: TAGS, read: readTagFile },
].map(({ name, share, file, text, read }) => ({
  name,
  share,
  async run(choices, folder) {
    const body = choices.chance(0.85) ? mutateText(text, choices) : mutateBytes(Buffer.from(text), choices);
    await read(await folder.write(file, body));
    return 'read';
  },
}));

export const readers: Target[] = [...returned, ...texts];
