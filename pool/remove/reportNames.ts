const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
};

/** Every separate piece of text in a report; file names are such pieces. */
export function* namesInReport(html: string): Generator<string> {
  for (const [, text = ''] of html.matchAll(/>([^<>]{1,8192})</g))
    yield text.replace(/&(amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity] ?? entity);
}

/** Every value in a document of a drop, JSON or a table: names of images are such values, or follow their folder. */
export function* namesInDocument(text: string): Generator<string> {
  for (const [cell] of text.matchAll(/[^",;\t\r\n]{1,1024}/g)) {
    const name = cell.trim();
    yield name;
    if (name.includes('/')) yield name.slice(name.indexOf('/') + 1);
  }
}
