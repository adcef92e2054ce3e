import type { ObjectFacts, ObjectStore } from '../storage/objects/objectStore.js';

/** Everything that a loop or a scan has in the store. */
export interface LoopObjects {
  loop: string;
  objects: ObjectFacts[];
}

/** All loops and scans, one after the other: one's objects are never in memory beside another's. */
export async function* loopObjects(store: ObjectStore): AsyncGenerator<LoopObjects> {
  let current: LoopObjects = { loop: '', objects: [] };
  for await (const facts of store.list('loops/')) {
    const loop = /^loops\/([^/]+)\//.exec(facts.key)?.[1];
    if (loop === undefined) continue;
    if (loop !== current.loop) {
      if (current.objects.length > 0) yield current;
      current = { loop, objects: [] };
    }
    current.objects.push(facts);
  }
  if (current.objects.length > 0) yield current;
}
