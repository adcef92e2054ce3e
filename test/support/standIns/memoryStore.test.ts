import { storeContract } from '../../storage/objects/storeContract.js';
import { type MemoryStore, memoryStore } from './memoryStore.js';

describe('the memory store', () => {
  const stores = new Map<string, MemoryStore>();
  const open = (prefix: string): MemoryStore => {
    const store = memoryStore();
    stores.set(prefix, store);
    return store;
  };
  storeContract(open, async (prefix, key, bytes) => stores.get(prefix)?.beginUpload(key, bytes));
});
