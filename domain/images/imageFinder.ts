/** The properties by which images are found; without an id if it is not known yet. */
export interface NamedImage {
  fileName: string;
  imageId?: string;
}

/** The images that a name stands for: one, several or none. */
export type FoundImage<T> = { image: T } | { several: T[] } | null;

/** An id may be shortened to this many digits, as messages show it. */
const SHORT_ID = 12;

/** True if both are one name: the same letters in other code points (NFD) make the same name. */
export const isSameName = (a: string, b: string): boolean => a.normalize() === b.normalize();

/**
 * Images by the names that people use: the id, at least its first 12 digits, the name in the pool, or its last part if
 * no whole name is meant.
 */
export function imageFinder<T extends NamedImage>(images: Iterable<T>): (name: string) => FoundImage<T> {
  const byId = new Map<string, T>();
  const byName = new Map<string, T[]>();
  const byLastPart = new Map<string, T[]>();
  for (const image of images) {
    if (image.imageId !== undefined) byId.set(image.imageId, image);
    const name = image.fileName.normalize();
    const lastPart = name.slice(name.lastIndexOf('/') + 1);
    push(byName, name, image);
    if (lastPart !== name) push(byLastPart, lastPart, image);
  }
  let byShortId: Map<string, T[]> | null = null;
  return (name) => {
    const own = byId.get(name);
    if (own !== undefined) return { image: own };
    const named = byName.get(name.normalize()) ?? byLastPart.get(name.normalize());
    if (named !== undefined) return only(named);
    if (!/^[0-9a-f]{12,63}$/.test(name)) return null;
    byShortId ??= shortIds(byId);
    return only((byShortId.get(name.slice(0, SHORT_ID)) ?? []).filter(({ imageId }) => imageId?.startsWith(name)));
  };
}

/**
 * True for every image that one of these names may stand for: a finder of those images alone answers for these names as
 * a finder of all images does.
 */
export function mayBeNamed(names: Iterable<string>): (image: Required<NamedImage>) => boolean {
  const wanted = new Set<string>();
  const ids = new Set<string>();
  for (const name of names) {
    wanted.add(name.normalize());
    if (/^[0-9a-f]{12,64}$/.test(name)) ids.add(name.slice(0, SHORT_ID));
  }
  return ({ imageId, fileName }) => {
    if (ids.has(imageId.slice(0, SHORT_ID))) return true;
    const name = fileName.normalize();
    return wanted.has(name) || wanted.has(name.slice(name.lastIndexOf('/') + 1));
  };
}

function shortIds<T>(byId: ReadonlyMap<string, T>): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const [id, image] of byId) push(found, id.slice(0, SHORT_ID), image);
  return found;
}

function push<T>(map: Map<string, T[]>, key: string, image: T): void {
  const images = map.get(key);
  if (images === undefined) map.set(key, [image]);
  else images.push(image);
}

const only = <T>([first, ...others]: T[]): FoundImage<T> =>
  first === undefined ? null : others.length === 0 ? { image: first } : { several: [first, ...others] };
