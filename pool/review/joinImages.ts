import { basename } from 'node:path/posix';
import type { Manifest, ManifestImage } from '../../formats/manifest.js';
import { dropEnding, foldPath } from '../../formats/names.js';
import type { Returned, ReturnedImage } from '../../formats/returned.js';

/** Which exported image each returned one is. */
export interface Joined {
  /** Exported images that came back once. */
  images: { image: ManifestImage; found: ReturnedImage }[];
  /** Exported images that came back several times, and what each time was called. */
  twice: { image: ManifestImage; names: string[] }[];
  /** Exported images that are listed without a label of theirs. */
  listed: ManifestImage[];
  /** What is not of this export, in words. */
  strangers: string[];
}

type Named = Omit<ReturnedImage, 'read'>;
type Find = (returned: Named) => ManifestImage | undefined;

/**
 * Join by our id, else by the name in the export, else by the path but for its ending, else by the end of the path, else by the
 * name without folders: tools add folders, flatten them, or change endings. What fits less well never takes an image from what
 * fits better, and nothing is guessed where two exported images could be meant.
 */
export function joinImages(manifest: Manifest, { images: returned, listed, strays }: Returned): Joined {
  const joined: Omit<Joined, 'listed'> = { images: [], twice: [], strangers: [...(strays ?? [])] };
  const ways = waysToFind(manifest);
  const found = new Map<ManifestImage, ReturnedImage[]>();
  let open = returned;
  for (const find of ways) {
    const taken = new Set(found.keys());
    open = open.filter((one) => {
      const image = find(one);
      if (image === undefined || taken.has(image)) return true;
      const before = found.get(image);
      if (before === undefined) found.set(image, [one]);
      else before.push(one);
      return false;
    });
  }
  for (const one of open) joined.strangers.push(one.name || one.imageId || '(without a name)');
  for (const [image, all] of found) {
    const [first, ...more] = all;
    if (first !== undefined && more.length === 0) joined.images.push({ image, found: first });
    else joined.twice.push({ image, names: all.map(({ name }) => name) });
  }
  const silent = new Set<ManifestImage>();
  for (const name of listed ?? []) {
    const one = { name, isLabelFile: true as const, imageId: null };
    const image = ways.map((find) => find(one)).find((candidate) => candidate !== undefined);
    if (image !== undefined && !found.has(image)) silent.add(image);
  }
  return { ...joined, listed: [...silent] };
}

/** From the surest way to the least sure one. Whose id or export is another one is found by no name. */
function waysToFind({ exportId, images }: Manifest): Find[] {
  const byId = new Map(images.map((image) => [image.imageId, image]));
  const byName = unique(images, ({ name }) => [name]);
  const byFile = unique(images, ({ file }) => [file]);
  // In the store, pictures are called by their ids.
  const whole = unique(images, ({ name, file, imageId }) => [name, dropEnding(name), file, imageId]);
  const flat = unique(images, ({ name, file }) => [name, dropEnding(name), file].map((path) => basename(path)));
  const isOurs = ({ imageId, exportId: of }: Named): boolean => !isGiven(imageId) && (of ?? exportId) === exportId;
  const but =
    (find: (path: string) => ManifestImage | undefined): Find =>
    (one) =>
      isOurs(one) ? (find(foldPath(one.name)) ?? find(decoded(foldPath(one.name)))) : undefined;
  const wholeBut = (path: string): ManifestImage | undefined =>
    whole.get(path) ?? whole.get(foldPath(dropEnding(path)));
  return [
    ({ imageId, exportId: of }) => (isGiven(imageId) && (of ?? exportId) === exportId ? byId.get(imageId) : undefined),
    (one) => {
      const [first, second] = one.isLabelFile === true ? [byFile, byName] : [byName, byFile];
      const path = foldPath(one.name);
      return isOurs(one) ? (first.get(path) ?? second.get(path)) : undefined;
    },
    (one) => (isOurs(one) && one.piecesId !== undefined ? byId.get(one.piecesId) : undefined),
    but(wholeBut),
    but((path) =>
      endsOf(path)
        .map(wholeBut)
        .find((image) => image !== undefined),
    ),
    but((path) => flat.get(basename(path)) ?? flat.get(foldPath(dropEnding(basename(path))))),
  ];
}

/** `a/b/c`, `b/c`, `c`. */
function endsOf(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, from) => parts.slice(from).join('/'));
}

/** Tools that know the field may leave it empty. */
const isGiven = (imageId: string | null): imageId is string => imageId !== null && imageId !== '';

/** A path without the escapes of a URL, and without what stands before the file in its query. */
function decoded(path: string): string {
  const file = path.split('?').at(-1) ?? path;
  try {
    return foldPath(decodeURIComponent(file.replace(/^[A-Z]+=/, '')));
  } catch {
    return file;
  }
}

/** Images by paths that no other image has, folded. */
function unique(
  images: readonly ManifestImage[],
  pathsOf: (image: ManifestImage) => readonly string[],
): ReadonlyMap<string, ManifestImage> {
  const found = new Map<string, ManifestImage>();
  const twice = new Set<string>();
  for (const image of images) {
    for (const path of new Set(pathsOf(image).map(foldPath))) {
      if (found.has(path)) twice.add(path);
      found.set(path, image);
    }
  }
  for (const path of twice) found.delete(path);
  return found;
}
