const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
};

/** Every piece of text that stands by itself in a report; file names do. */
export function* namesInReport(html: string): Generator<string> {
  for (const [, text = ''] of html.matchAll(/>([^<>]{1,8192})</g))
    yield text.replace(/&(amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity] ?? entity);
}
