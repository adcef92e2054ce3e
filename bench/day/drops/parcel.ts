import { carParts34 } from '../../../domain/taxonomies/carParts34.js';
import { type Car, maskPng, sha256 } from '../cars.js';
import type { Fate, SentEntry, SentFile } from '../ledger.js';

/** Files that a client puts into its drop together. */
export interface Parcel {
  files: Map<string, Uint8Array | string>;
  /** Content of the marker that is written after the files; null if none is. */
  marker: string | null;
  /** in turn: when the drop is due; at once: a moment after the parcel before; later: some drops after it. */
  when: 'in turn' | 'at once' | 'later';
}

/** A picture with its label as a client sends it, and what must become of it. */
export interface Shipment {
  car: Car;
  /** Bytes of the picture, if not those of the car; null: the labels name it, and it is not sent. */
  picture?: Uint8Array | null;
  /** Values of the label, if not those of the car. */
  pixels?: Uint8Array;
  /** Width of the label's mask, or of the picture in a COCO file, if not that of the car. */
  width?: number;
  /** Name of the picture in the labels, if not that of the car. */
  name?: string;
  vehicleId?: string;
  fate?: Fate;
  reason?: string;
  /** COCO: one more annotation of this image. */
  annotation?: Record<string, unknown>;
}

/** The labels of a drop as one document, the files that it names, and what the client notes of them. */
export interface Labelled {
  document: { path: string; content: string };
  files: Map<string, Uint8Array>;
  entries: SentEntry[];
}

export const CLASSES = carParts34.classes.map(({ name }) => name);

const entryOf = (shipment: Shipment, name: string, files: SentFile[]): SentEntry => {
  const { car, picture, pixels, fate = 'taken', reason = null } = shipment;
  const there = picture === null ? null : sha256(picture ?? car.jpeg);
  const label = pixels === undefined ? car.labelSha256 : sha256(pixels);
  return { name, sha256: there, labelSha256: label, fate, reason, files };
};

/** Index masks with `manifest.jsonl`. */
export async function asMasks(shipments: readonly Shipment[]): Promise<Labelled> {
  const lines: string[] = [];
  const files = new Map<string, Uint8Array>();
  const entries: SentEntry[] = [];
  for (const shipment of shipments) {
    const { car, picture = car.jpeg, pixels = car.pixels, width = car.size } = shipment;
    const [path, label] = [`images/${car.name}.jpg`, `labels/${car.name}.png`];
    const name = shipment.name ?? path;
    const sent: [string, Uint8Array][] = [[label, await maskPng(pixels, width)]];
    if (picture !== null && shipment.name === undefined) sent.unshift([path, picture]);
    for (const [at, bytes] of sent) files.set(at, bytes);
    const { tags, vehicleId } = car;
    lines.push(JSON.stringify({ image: name, label, tags, vehicleId: shipment.vehicleId ?? vehicleId }));
    entries.push(
      entryOf(
        shipment,
        name,
        sent.map(([at, bytes]) => ({ path: at, sha256: sha256(bytes) })),
      ),
    );
  }
  return { document: { path: 'manifest.jsonl', content: lines.join('\n') }, files, entries };
}

/** A COCO file with run-length masks; `more` are annotations beside those of the images. */
export function asCoco(shipments: readonly Shipment[], more: readonly Record<string, unknown>[] = []): Labelled {
  const files = new Map<string, Uint8Array>();
  const entries: SentEntry[] = [];
  const images: unknown[] = [];
  const annotations: unknown[] = [];
  for (const [at, shipment] of shipments.entries()) {
    const { car, picture = car.jpeg, pixels = car.pixels, width = car.size, annotation } = shipment;
    const path = `images/${car.name}.jpg`;
    const name = shipment.name ?? `${car.name}.jpg`;
    const isSent = picture !== null && shipment.name === undefined;
    if (isSent) files.set(path, picture);
    const id = at + 1;
    images.push({ id, file_name: name, width, height: pixels.length / width, vehicle_id: car.vehicleId });
    for (const [value, mask] of runLengths(pixels, width))
      annotations.push({
        ...{ id: annotations.length + 1, image_id: id, category_id: value, iscrowd: 1 },
        segmentation: { size: [pixels.length / width, width], counts: mask },
      });
    if (annotation !== undefined) annotations.push({ id: annotations.length + 1, image_id: id, ...annotation });
    entries.push(entryOf(shipment, name, isSent ? [{ path, sha256: sha256(picture) }] : []));
  }
  const categories = CLASSES.map((name, at) => ({ id: at + 1, name }));
  // A category that no class has, for images that use it.
  categories.push({ id: CLASSES.length + 1, name: 'flux_capacitor' });
  const content = JSON.stringify({ images, categories, annotations: [...annotations, ...more] });
  return { document: { path: 'annotations/instances.json', content }, files, entries };
}

/** Uncompressed run lengths by label value: column by column, beginning with the pixels that are not of it. */
function runLengths(pixels: Uint8Array, width: number): [number, number[]][] {
  const height = pixels.length / width;
  const values = [...new Set(pixels)].filter((value) => value > 0).sort((a, b) => a - b);
  return values.map((value) => {
    const counts: number[] = [];
    let [isInside, run] = [false, 0];
    for (let x = 0; x < width; x++)
      for (let y = 0; y < height; y++) {
        if ((pixels[y * width + x] === value) !== isInside) {
          counts.push(run);
          [isInside, run] = [!isInside, 0];
        }
        run += 1;
      }
    return [value, [...counts, run]];
  });
}
