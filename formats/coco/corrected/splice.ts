/** Bytes of a file that are replaced; `begin` = `end` inserts. */
export interface Edit {
  begin: number;
  end: number;
  text: string;
}

/** An element of a list in a JSON file, by its bytes. */
export interface ElementBytes {
  begin: number;
  size: number;
}

/**
 * The edits that replace, remove and add elements of a list, in order of their bytes. All else of the file stays.
 *
 * @param elements all elements of the list, at least one
 * @param changes text of changed elements by their place; null removes one
 * @param added texts of new elements, which come last
 */
export function listEdits(
  elements: readonly ElementBytes[],
  changes: ReadonlyMap<number, string | null>,
  added: readonly string[],
): Edit[] {
  const edits: Edit[] = [];
  const endOf = (at: number): number => (elements[at] as ElementBytes).begin + (elements[at] as ElementBytes).size;
  const isRemoved = (at: number): boolean => changes.get(at) === null;
  const places = [...changes.keys()].sort((a, b) => a - b);
  for (let index = 0; index < places.length; index++) {
    const first = places[index] as number;
    const text = changes.get(first);
    if (text != null) {
      edits.push({ begin: (elements[first] as ElementBytes).begin, end: endOf(first), text });
      continue;
    }
    let last = first;
    while (isRemoved(last + 1)) last += 1;
    index += last - first;
    // A run of removed elements takes the comma before it away or, at the front of the list, the one behind it.
    const next = elements[last + 1];
    if (first > 0) edits.push({ begin: endOf(first - 1), end: endOf(last), text: '' });
    else edits.push({ begin: (elements[0] as ElementBytes).begin, end: next?.begin ?? endOf(last), text: '' });
  }
  if (added.length === 0) return edits;
  const removed = places.filter(isRemoved).length;
  const end = endOf(elements.length - 1);
  return [...edits, { begin: end, end, text: `${removed < elements.length ? ',' : ''}${added.join(',')}` }];
}

/** The bytes of a file with edits, which are in order and do not overlap. */
export async function* spliced(chunks: AsyncIterable<Buffer>, edits: readonly Edit[]): AsyncGenerator<Buffer> {
  let at = 0;
  let skipTo = 0;
  let next = 0;
  for await (const chunk of chunks) {
    const end = at + chunk.length;
    let from = at;
    for (;;) {
      from = Math.min(end, Math.max(from, skipTo));
      const edit = edits[next];
      if (edit === undefined || edit.begin >= end) break;
      if (edit.begin > from) yield chunk.subarray(from - at, edit.begin - at);
      if (edit.text !== '') yield Buffer.from(edit.text);
      from = Math.max(from, edit.begin);
      skipTo = Math.max(skipTo, edit.end);
      next += 1;
    }
    if (from < end) yield chunk.subarray(from - at);
    at = end;
  }
}
