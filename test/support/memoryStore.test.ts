import { storeContract } from '../storage/objects/storeContract.js';
import { memoryStore } from './memoryStore.js';

describe('the memory store', () => {
  storeContract(() => memoryStore());
});
