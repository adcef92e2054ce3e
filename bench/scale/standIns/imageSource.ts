import type { readImage as realReadImage, readLabel as realReadLabel } from '../../../storage/pictures/imageSource.js';

/** Reads the picture that many images share, so its digest is not the image's id. */
export const readImage: typeof realReadImage = async (store, row) => Buffer.from((await store.get(row.imageUri)).body);

/** The same for a label. */
export const readLabel: typeof realReadLabel = async (store, row) => Buffer.from((await store.get(row.labelUri)).body);
