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
