import type { ObjectStore } from '../../../storage/objects/objectStore.js';

export interface PrefixSize {
  prefix: string;
  objects: number;
  bytes: number;
}

/** Objects and bytes of a store by the first folder of their keys. */
export async function storeSize(store: ObjectStore): Promise<PrefixSize[]> {
  const sizes = new Map<string, PrefixSize>();
  for await (const { key, size } of store.list('')) {
    const prefix = `${key.split('/')[0]}/`;
    const so = sizes.get(prefix) ?? { prefix, objects: 0, bytes: 0 };
    sizes.set(prefix, { prefix, objects: so.objects + 1, bytes: so.bytes + size });
  }
  return [...sizes.values()].sort((a, b) => (a.prefix < b.prefix ? -1 : 1));
}
