import type { Car } from '../cars.js';
import type { SentDrop } from '../ledger.js';
import { asCoco, asMasks, type Labelled, type Parcel, type Shipment } from './parcel.js';

/** A drop of the day: what is sent of it, and when. */
export interface PlannedDrop {
  sent: SentDrop;
  parcels: Parcel[];
}

/** What a kind of drop is made from. */
export interface Making {
  drop: string;
  format: SentDrop['format'];
  /** Good images of an ordinary drop. */
  size: number;
  /** Cars that no drop had yet. */
  next(count: number): Car[];
  test: readonly Car[];
  /** Drops before this one, the oldest first. */
  earlier: readonly PlannedDrop[];
  /** Pictures that drops before this one asked to be removed; this one adds its own. */
  removals: string[];
}

export type Make = (making: Making) => Promise<PlannedDrop>;

export const good = (cars: readonly Car[]): Shipment[] => cars.map((car) => ({ car }));
export const rejected = (car: Car, reason: string, more: Partial<Shipment> = {}): Shipment => ({
  ...{ car, fate: 'rejected', reason, ...more },
});
export const labelled = async (format: SentDrop['format'], shipments: readonly Shipment[]): Promise<Labelled> =>
  format === 'coco' ? asCoco(shipments) : asMasks(shipments);

export const whole = ({ document, files }: Labelled, when: Parcel['when'] = 'in turn', marker = ''): Parcel => ({
  ...{ files: new Map<string, Uint8Array | string>([...files, [document.path, document.content]]), marker, when },
});

export function planned(
  { drop, format }: Making,
  kind: string,
  entries: SentDrop['entries'],
  parcels: Parcel[],
  more: Partial<SentDrop> = {},
): PlannedDrop {
  const receipts = { taken: 1, repeated: 0, refused: 0 };
  const sent = { drop, kind, format, entries, strays: [], receipts, mayBeReadTwice: false, stays: [], ...more };
  return { sent, parcels };
}

export async function simple(making: Making, kind: string, shipments: readonly Shipment[]): Promise<PlannedDrop> {
  const labels = await labelled(making.format, shipments);
  return planned(making, kind, labels.entries, [whole(labels)]);
}

export const ordinary: Make = (making) => simple(making, 'ordinary', good(making.next(making.size)));
