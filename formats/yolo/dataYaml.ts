import { readFile, stat } from 'node:fs/promises';
import { isMap, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';

/** Longest list of class names; the parser takes seconds for megabytes. */
const MAX_BYTES = 256 * 2 ** 10;
const MAX_CLASSES = 10_000;

const nameSchema = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const fileSchema = z.object({
  names: z.union([
    z.array(nameSchema).transform((names) => names.map((name, number) => [number, name] as const)),
    z
      .record(z.string().regex(/^\d{1,9}$/), nameSchema)
      .transform((names) => Object.entries(names).map(([number, name]) => [Number(number), name] as const)),
  ]),
});

/**
 * The class names of an Ultralytics `data.yaml` by their numbers: `names` is a list or a map from numbers, in any YAML
 * notation. null if there is no such file.
 *
 * @throws PartloopError `input-invalid` if it is no YAML (naming the line) or lists no names
 */
export async function readClassNames(file: string): Promise<Map<number, string> | null> {
  const facts = await stat(file).catch(() => null);
  if (facts === null) return null;
  if (!facts.isFile() || facts.size > MAX_BYTES)
    throw new PartloopError('input-invalid', `${file} is not a list of names: it has ${facts.size} bytes`);
  const parsed = fileSchema.safeParse(parseYaml(await readFile(file, 'utf8'), file));
  if (parsed.success && parsed.data.names.length > 0 && parsed.data.names.length <= MAX_CLASSES)
    return new Map(parsed.data.names);
  throw new PartloopError('input-invalid', `${file} lists no class names`, {
    hint: 'It needs `names`: a list, or a map from class numbers to names, as Ultralytics writes it.',
  });
}

function parseYaml(text: string, file: string): unknown {
  const lines = new LineCounter();
  try {
    // The parser compares all keys with each other, so uniqueness of names is checked below.
    const options = { uniqueKeys: false, prettyErrors: false, logLevel: 'error' } as const;
    const document = parseDocument(text, { ...options, lineCounter: lines });
    const [error] = document.errors;
    if (error !== undefined) {
      const { line, col } = lines.linePos(error.pos[0]);
      throw new PartloopError('input-invalid', `${file}:${line}:${col} is not YAML: ${error.message}`);
    }
    const fields = isMap(document.contents) ? document.contents.items.map(({ key }) => String(key)) : [];
    if (fields.filter((field) => field === 'names').length > 1)
      throw new PartloopError('input-invalid', `${file} has \`names\` twice: keep only one of them`);
    const names = document.get('names', true);
    const keys = isMap(names) ? names.items.map(({ key }) => String(key)) : [];
    if (new Set(keys).size < keys.length) throw new PartloopError('input-invalid', `${file} names a class twice`);
    // Aliases of aliases could unpack to any size.
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    if (cause instanceof PartloopError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PartloopError('input-invalid', `${file} is not YAML: ${reason}`, { cause });
  }
}
