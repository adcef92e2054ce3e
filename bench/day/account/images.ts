import type { Ledger, SentEntry } from '../ledger.js';
import type { PoolImage, There } from '../there.js';

/** Images that were sent and are not in the pool, or are there twice, or as nobody sent them. */
export function imageFaults({ imported, drops, removals }: Ledger, there: There): string[] {
  const images = new Map(there.images.map((image) => [image.imageId, image]));
  const dropOf = new Map([...there.receipts, ...there.open].map(({ arrival, drop }) => [arrival, drop]));
  const broughtBy = ({ importedBy }: PoolImage): string | null =>
    importedBy === null ? null : (dropOf.get(importedBy) ?? `unknown arrival ${importedBy}`);
  const faults: string[] = [];
  const sent = new Map<string, string>();

  for (const { sha256, labelSha256, split } of imported) {
    sent.set(sha256, labelSha256);
    const image = images.get(sha256);
    if (image === undefined) faults.push(`image ${sha256}, imported by hand, is not in the pool`);
    else if (image.split !== split) faults.push(`image ${sha256} was imported as ${split} and is ${image.split}`);
  }
  for (const { drop, entries } of drops)
    for (const entry of entries) {
      if (entry.fate === 'taken') sent.set(entry.sha256 ?? '', entry.labelSha256 ?? '');
      const image = images.get(entry.sha256 ?? '');
      const problem = entryProblem(entry, image, image === undefined ? null : broughtBy(image), drop);
      if (problem !== null) faults.push(`${entry.name} of drop ${drop} ${problem}`);
    }
  for (const image of there.images) faults.push(...ownFaults(image, sent, removals));
  return faults;
}

/** What is wrong with an entry, given the image of its bytes in the pool and the drop that brought it. */
function entryProblem(
  { fate }: SentEntry,
  image: PoolImage | undefined,
  broughtBy: string | null,
  drop: string,
): string | null {
  if (fate === 'taken') {
    if (image === undefined) return 'is lost: it is not in the pool';
    return broughtBy === drop ? null : `was brought by ${broughtBy ?? 'an import by hand'} instead`;
  }
  if (image === undefined) return fate === 'twice' || fate === 'gone' ? 'is not in the pool at all' : null;
  return broughtBy === drop ? `is in the pool, though it should be ${fate}` : null;
}

function ownFaults(image: PoolImage, sent: ReadonlyMap<string, string>, removals: readonly string[]): string[] {
  const { imageId, imports, bytesSha256, labelSha256, removedAt } = image;
  const label = sent.get(imageId);
  if (label === undefined) return [`image ${imageId} is in the pool, and nobody sent it to be taken`];
  const isAsked = removals.includes(imageId);
  return [
    ...(imports === 1 ? [] : [`image ${imageId} came into the pool ${imports} times`]),
    ...(bytesSha256 === imageId ? [] : [`the bytes of image ${imageId} are not those that were sent: ${bytesSha256}`]),
    ...(labelSha256 === label ? [] : [`the label of image ${imageId} is not the one that was sent`]),
    ...(isAsked && removedAt === null ? [`image ${imageId} should be removed and is in the pool`] : []),
    ...(!isAsked && removedAt !== null ? [`image ${imageId} was removed, and nobody asked for it`] : []),
  ];
}
