import { basename } from 'node:path/posix';
import type { Manifest, ManifestImage } from '../../formats/manifest.js';
import { dropEnding, foldPath } from '../../formats/names.js';
import type { Returned, ReturnedImage } from '../../formats/reading/returned.js';

/** The exported image of each returned one. */
export interface Joined {
  /** Exported images that came back once; `byLastPart` if only the last parts of the paths match. */
  images: { image: ManifestImage; found: ReturnedImage; byLastPart: boolean }[];
  /** Exported images that came back several times, with each name. */
  twice: { image: ManifestImage; names: string[] }[];
  /** Exported images that are listed without a label. */
  listed: ManifestImage[];
  /** Returned images under a name whose last part several exported images have. */
  ambiguous: { name: string; images: ManifestImage[] }[];
  /** Parts that do not belong to this export, in words. */
  strangers: string[];
}

type Named = Omit<ReturnedImage, 'read'>;
type Find = (returned: Named) => ManifestImage | undefined;

interface Way {
  find: Find;
  /** Folders tell nothing here: another image with the same last part would be taken for the exported one. */
  byLastPart: boolean;
}

/**
 * Match by our id, otherwise by the name in the export, the path without its ending, the end of the path, or the name
 * without folders, in this order: tools add folders, flatten them, or change endings. A weaker match never takes an
 * image from a stronger one, and nothing is guessed if two exported images could be meant.
 */
export function joinImages(manifest: Manifest, { images: returned, listed, strays }: Returned): Joined {
  const joined: Omit<Joined, 'listed'> = { images: [], twice: [], ambiguous: [], strangers: [...(strays ?? [])] };
  const { ways, several } = waysToFind(manifest);
  const found = new Map<ManifestImage, ReturnedImage[]>();
  const byLastPart = new Set<ManifestImage>();
  let open = returned;
  for (const { find, byLastPart: isLastPart } of ways) {
    const taken = new Set(found.keys());
    open = open.filter((one) => {
      const image = find(one);
      if (image === undefined || taken.has(image)) return true;
      if (isLastPart) byLastPart.add(image);
      const before = found.get(image);
      if (before === undefined) found.set(image, [one]);
      else before.push(one);
      return false;
    });
  }
  for (const one of open) {
    const images = several(one);
    if (images.length > 1) joined.ambiguous.push({ name: one.name, images });
    else joined.strangers.push(one.name || one.imageId || '(without a name)');
  }
  for (const [image, all] of found) {
    const [first, ...more] = all;
    if (first !== undefined && more.length === 0)
      joined.images.push({ image, found: first, byLastPart: byLastPart.has(image) });
    else joined.twice.push({ image, names: all.map(({ name }) => name) });
  }
  const silent = new Set<ManifestImage>();
  for (const name of listed ?? []) {
    const one = { name, isLabelFile: true as const, imageId: null };
    const image = ways.map(({ find }) => find(one)).find((candidate) => candidate !== undefined);
    if (image !== undefined && !found.has(image)) silent.add(image);
  }
  return { ...joined, listed: [...silent] };
}

/** From the surest way to the least sure one. An image with another id or export is not matched by name. */
function waysToFind({ exportId, images }: Manifest): { ways: Way[]; several(returned: Named): ManifestImage[] } {
  const byId = new Map(images.map((image) => [image.imageId, image]));
  const byName = unique(images, ({ name }) => [name]);
  const byFile = unique(images, ({ file }) => [file]);
  // In the store, pictures are named by their ids.
  const whole = unique(images, ({ name, file, imageId }) => [name, dropEnding(name), file, imageId]);
  const lastParts = byPath(images, ({ name, file }) => [name, dropEnding(name), file].map((path) => basename(path)));
  const flat = onlyOnes(lastParts);
  const isOurs = ({ imageId, exportId: of }: Named): boolean => !isGiven(imageId) && (of ?? exportId) === exportId;
  const but =
    (find: (path: string) => ManifestImage | undefined): Find =>
    (one) =>
      isOurs(one) ? (find(foldPath(one.name)) ?? find(decoded(foldPath(one.name)))) : undefined;
  const wholeBut = (path: string): ManifestImage | undefined =>
    whole.get(path) ?? whole.get(foldPath(dropEnding(path)));
  const ofWhole: Find[] = [
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
        .slice(0, -1)
        .map(wholeBut)
        .find((image) => image !== undefined),
    ),
    // The last part of a link to the store is an id, which is unique.
    but((path) => byId.get(basename(path)) ?? byId.get(foldPath(dropEnding(basename(path))))),
  ];
  const ofLastPart: Find[] = [
    but((path) => wholeBut(basename(path))),
    but((path) => flat.get(basename(path)) ?? flat.get(foldPath(dropEnding(basename(path))))),
  ];
  return {
    ways: [
      ...ofWhole.map((find) => ({ find, byLastPart: false })),
      ...ofLastPart.map((find) => ({ find, byLastPart: true })),
    ],
    several(one) {
      if (!isOurs(one)) return [];
      const last = basename(foldPath(one.name));
      return (
        [last, foldPath(dropEnding(last))].map((path) => lastParts.get(path) ?? []).find(({ length }) => length > 1) ??
        []
      );
    },
  };
}

/** `a/b/c`, `b/c`, `c`. */
function endsOf(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, from) => parts.slice(from).join('/'));
}

/** Tools that know the field may leave it empty. */
const isGiven = (imageId: string | null): imageId is string => imageId !== null && imageId !== '';

/** A path without the escapes of a URL, and without the part before the file in its query. */
function decoded(path: string): string {
  const file = path.split('?').at(-1) ?? path;
  try {
    return foldPath(decodeURIComponent(file.replace(/^[A-Z]+=/, '')));
  } catch {
    return file;
  }
}

/** Images by paths that no other image has, folded. */
const unique = (
  images: readonly ManifestImage[],
  pathsOf: (image: ManifestImage) => readonly string[],
): ReadonlyMap<string, ManifestImage> => onlyOnes(byPath(images, pathsOf));

function byPath(
  images: readonly ManifestImage[],
  pathsOf: (image: ManifestImage) => readonly string[],
): ReadonlyMap<string, ManifestImage[]> {
  const found = new Map<string, ManifestImage[]>();
  for (const image of images)
    for (const path of new Set(pathsOf(image).map(foldPath))) {
      const others = found.get(path);
      if (others === undefined) found.set(path, [image]);
      else others.push(image);
    }
  return found;
}

const onlyOnes = (found: ReadonlyMap<string, ManifestImage[]>): ReadonlyMap<string, ManifestImage> =>
  new Map([...found].flatMap(([path, [image, ...others]]) => (image && others.length === 0 ? [[path, image]] : [])));
