import { good, labelled, type Make, ordinary, planned, whole } from './making.js';
import { asCoco, type Parcel } from './parcel.js';

// Drops that arrive in parts, twice, or not to their end, and those that concern earlier ones.

/** Comes a second time, file by file the same. */
export const sameAgain: Make = async (making) => {
  const labels = await labelled(making.format, good(making.next(making.size)));
  const receipts = { taken: 1, repeated: 1, refused: 0 };
  return planned(making, 'sent twice', labels.entries, [whole(labels), whole(labels, 'later')], { receipts });
};

/** Brings the images of an ordinary drop under another name. */
export const otherName: Make = async (making) => {
  const [first] = making.earlier.filter(({ sent }) => sent.kind === 'ordinary');
  if (first === undefined) return ordinary(making);
  const fateOf = (sha256: string | null) => (making.removals.includes(sha256 ?? '') ? 'gone' : 'twice');
  const entries = first.sent.entries.map((entry) => ({ ...entry, fate: fateOf(entry.sha256) }) as const);
  return planned({ ...making, format: first.sent.format }, 'copy of another drop', entries, first.parcels);
};

/** Its marker comes before the second half of its files. */
export const halves: Make = async (making) => {
  const { document, files, entries } = await labelled(making.format, good(making.next(making.size)));
  const paths = [...files];
  const half = Math.ceil(paths.length / 2);
  const first = whole({ document, files: new Map(paths.slice(0, half)), entries });
  const rest: Parcel = { files: new Map(paths.slice(half)), marker: '', when: 'later' };
  return planned(making, 'in halves', entries, [first, rest]);
};

/** Its marker counts files that come later. */
export const counted: Make = async (making) => {
  const { document, files, entries } = await labelled(making.format, good(making.next(making.size)));
  const marker = JSON.stringify({ files: files.size + 1 });
  const [first, ...rest] = [...files];
  const start: Parcel = { files: new Map(first === undefined ? [] : [first]), marker, when: 'in turn' };
  const later: Parcel = { files: new Map<string, Uint8Array | string>(rest), marker, when: 'later' };
  later.files.set(document.path, document.content);
  return planned(making, 'counted by its marker', entries, [start, later]);
};

export const lateMarker: Make = async (making) => {
  const labels = await labelled(making.format, good(making.next(making.size)));
  const parcels: Parcel[] = [
    { ...whole(labels), marker: null },
    { files: new Map(), marker: '', when: 'later' },
  ];
  return planned(making, 'marked late', labels.entries, parcels);
};

export const growing: Make = async (making) => {
  const cars = making.next(making.size);
  const first = await labelled(making.format, good(cars.slice(0, Math.ceil(cars.length / 2))));
  const all = await labelled(making.format, good(cars));
  return planned(making, 'grows while it is read', all.entries, [whole(first), whole(all, 'at once')], {
    mayBeReadTwice: true,
  });
};

/** Refused as a whole, since its labels cannot be read; then the client sends them as they should be. */
export const mended: Make = async (making) => {
  const labels = asCoco(good(making.next(making.size)));
  const { document } = labels;
  const broken = whole({ ...labels, document: { ...document, content: document.content.slice(0, -40) } });
  const mend: Parcel = { files: new Map([[document.path, document.content]]), marker: '', when: 'later' };
  const receipts = { taken: 1, repeated: 0, refused: 1 };
  return planned({ ...making, format: 'coco' }, 'refused, then mended', labels.entries, [broken, mend], { receipts });
};

/** Asks for two images of an ordinary drop to be removed, one by its id and one by its name. */
export const removal: Make = async (making) => {
  const asked = making.earlier.filter(({ sent }) => sent.kind === 'removal').length;
  const from = making.earlier.filter(({ sent }) => sent.kind === 'ordinary')[asked];
  const [first, second] = from?.sent.entries ?? [];
  const labels = await labelled(making.format, good(making.next(making.size)));
  const parcel = whole(labels);
  if (first?.sha256 == null || second?.sha256 == null) return planned(making, 'ordinary', labels.entries, [parcel]);
  making.removals.push(first.sha256, second.sha256);
  const request = { images: [first.sha256, second.name], reason: 'the owner of the cars asks for it' };
  parcel.files.set('removals.json', JSON.stringify(request));
  return planned(making, 'removal', labels.entries, [parcel]);
};

/** Never gets its marker: it waits in the inbox. */
export const neverMarked: Make = async (making) => {
  const labels = await labelled(making.format, good(making.next(2)));
  const parcel: Parcel = { ...whole(labels), marker: null };
  const receipts = { taken: 0, repeated: 0, refused: 0 };
  return planned(making, 'never marked', [], [parcel], { receipts, stays: [...parcel.files.keys()] });
};
