import type { SuspectLabel } from '../../domain/audit/suspects.js';
import type { IndexRow } from '../../domain/tables.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readImage, readLabel } from '../../storage/pictures/imageSource.js';
import { decodeLabel } from '../../storage/pictures/labelMask.js';
import type { Picture } from '../data.js';
import { findingOverlay } from '../drawPictures.js';
import { type Overlay, overlayPicture, PICTURE_SIDE } from '../overlay.js';

const NO_REGION: Omit<Overlay, 'label'> = { proposal: null, box: null, outlined: null };
const USUAL_ASPECT = 0.75;

/**
 * The pictures of suspect labels with their findings, drawn one by one; one that cannot be read is shown as unreadable.
 *
 * @param rows the images as they were scanned, by id
 * @param textOf words for a finding
 */
export async function drawSuspects(
  store: ObjectStore,
  suspects: readonly SuspectLabel[],
  rows: ReadonlyMap<string, IndexRow>,
  textOf: (suspect: SuspectLabel) => { title: string; detail: string },
): Promise<Picture[]> {
  const pictures: Picture[] = [];
  for (const suspect of suspects) {
    const { image, finding } = suspect;
    const base = { ...textOf(suspect), score: image.pMislabelled, fileName: image.fileName };
    const size = { src: null, width: PICTURE_SIDE, height: Math.round(PICTURE_SIDE * USUAL_ASPECT) };
    const row = rows.get(image.imageId);
    const overlay = finding === null ? NO_REGION : findingOverlay(finding);
    pictures.push({ ...base, ...size, ...(row === undefined ? {} : await drawn(store, row, overlay)) });
  }
  return pictures;
}

async function drawn(
  store: ObjectStore,
  row: IndexRow,
  overlay: Omit<Overlay, 'label'>,
): Promise<Partial<Pick<Picture, 'src' | 'width' | 'height'>>> {
  try {
    const label = await decodeLabel(await readLabel(store, row), row.fileName);
    return await overlayPicture(await readImage(store, row), { ...overlay, label });
  } catch {
    return {};
  }
}
