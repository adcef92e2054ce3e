/**
 * Do `work` for every item, in their order, at most `limit` at a time. After the first error no further item begins. An
 * abort ends it after the current items, with the signal's reason.
 */
export async function forEachLimited<T>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const rest = items.entries();
  let failed = false;
  const lane = async (): Promise<void> => {
    // One iterator for all lanes: each takes what comes next.
    for (const [index, item] of rest) {
      if (failed || signal?.aborted === true) return;
      try {
        await work(item, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  signal?.throwIfAborted();
}

/**
 * What `work` makes of each item, in the order of the items, while up to `limit` of them are under way. The first error
 * ends it when its turn comes.
 */
export async function* mapInOrder<T, R>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const ahead: Promise<R>[] = [];
  for (const item of items) {
    const result = work(item);
    // An error is thrown in its turn; until then nobody waits for it.
    result.catch(() => undefined);
    ahead.push(result);
    if (ahead.length >= limit) yield await (ahead.shift() as Promise<R>);
  }
  for (const result of ahead) yield await result;
}
