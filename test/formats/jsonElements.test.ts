import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { PartloopError } from '../../domain/base/errors.js';
import { type JsonElement, visitElements } from '../../formats/reading/jsonElements.js';
import { SizedFile } from '../../formats/reading/sizedFile.js';

const LISTS = ['images', 'annotations'];

describe('the elements of lists in a JSON file', function () {
  this.timeout(60_000);
  let path: string;

  before(async () => {
    path = join(await mkdtemp(join(tmpdir(), 'pl-')), 'file.json');
  });
  after(() => rm(join(path, '..'), { recursive: true, force: true }));

  async function visited(content: string | Buffer, options: { readAtOnce?: number; mostBytes?: number } = {}) {
    await writeFile(path, content);
    const file = await SizedFile.of(path, 'a.json', 2 ** 30);
    const found = new Map<string, JsonElement[]>();
    const visitor = {
      restart: (list: string) => found.set(list, []),
      element: (element: JsonElement) => found.get(element.list)?.push(element),
    };
    const top = await visitElements(file, LISTS, visitor, options);
    return { file, top, found };
  }

  const values = (found: ReadonlyMap<string, readonly JsonElement[]>, list: string): unknown[] | undefined =>
    found.get(list)?.map(({ value }) => value);

  it('are those of JSON.parse, wherever the bytes are cut, and lie where it is said', async () => {
    const text = fc.string({
      unit: fc.constantFrom('a', '"', '\\', '\n', '\u0000', 'ä', '€', '😀', '\ud83d', '[', '}'),
    });
    const value = fc.jsonValue();
    const odd = fc.dictionary(fc.constantFrom('__proto__', 'constructor', 'id', ''), value);
    const element = fc.oneof(value, odd, text, fc.array(text), fc.double({ noNaN: true, noDefaultInfinity: true }));
    const field = fc.tuple(
      fc.oneof(fc.constantFrom('images', 'annotations', 'info', '__proto__'), text),
      fc.oneof({ weight: 3, arbitrary: fc.array(element) }, { weight: 1, arbitrary: element }),
    );
    const spaced = fc.constantFrom(0, 1, '\t');
    const fields = fc.tuple(fc.array(field), spaced, fc.boolean(), fc.integer({ min: 1, max: 40 }));
    await fc.assert(
      fc.asyncProperty(fields, async ([given, indent, mark, readAtOnce]) => {
        const inside = given.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry, null, indent)}`);
        const json = `{${inside.join(' ,\r\n')} }`;
        const { file, top, found } = await visited(mark ? `\uFEFF${json}` : json, { readAtOnce });
        const whole: Record<string, unknown> = JSON.parse(json);
        for (const list of LISTS) {
          const expected = Object.hasOwn(whole, list) ? whole[list] : undefined;
          const said = typeof top === 'object' && top !== null ? new Map(Object.entries(top)).get(list) : undefined;
          if (!Array.isArray(expected)) {
            const isRecord = typeof expected === 'object' && expected !== null;
            assert.deepEqual(said, isRecord ? {} : typeof expected === 'string' ? '' : expected);
            continue;
          }
          assert.deepEqual(said, []);
          assert.deepEqual(values(found, list), expected);
          const read = await file.read(found.get(list) ?? []);
          assert.deepEqual(
            read.map((bytes) => JSON.parse(bytes.toString())),
            expected,
          );
        }
      }),
      { numRuns: 200 },
    );
  });

  it('are refused with line and column if the file is not JSON, as JSON.parse refuses it', async () => {
    const bad: [string, RegExp][] = [
      ['{"a": NaN}', /line 1, column 7, at `NaN}`/],
      ['{"a": [1,\n  "NaN", -Infinity]}', /line 2, column 10, at `-Infinity\]}`/],
      ['{"ä€": [1,\n "😀", tru]}', /line 2, column 8, at `tru\]}`/],
      ['{"images": [{"a": 1} {"b": 2}]}', /line 1, column 22, at `{"b":`/],
      ['{"images": [1,]}', /line 1, column 15, at `\]}`/],
      ['{"a": 1', /line 1, column 8, at `its end`/],
      ['{"a": "b', /line 1, column 9, at `its end`/],
      ['{"a": 1}}', /line 1, column 9, at `}`/],
      ['text', /line 1, column 1, at `text`/],
      ['{"a": "\n"}', /line 1, column 8/],
      ['', /a\.json is not JSON$/],
      [' \n', /a\.json is not JSON$/],
    ];
    for (const [text, message] of bad)
      for (const readAtOnce of [1, 7, 1_000]) {
        const isRefused = (error: unknown) =>
          error instanceof PartloopError && error.code === 'input-invalid' && message.test(error.message);
        await assert.rejects(visited(text, { readAtOnce }), isRefused, `${text}: ${message}`);
      }
  });

  it('are never found in a file that JSON.parse refuses', async () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"images"',
      '"a"',
      '1',
      '-',
      '0',
      '.',
      'e',
      'null',
      ' ',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const text = `{"images":[${pieces.join('')}]}`;
        const isJson = await Promise.resolve(text)
          .then(JSON.parse)
          .then(...[() => true, () => false]);
        const isRead = await visited(text).then(...[() => true, () => false]);
        assert.equal(isRead, isJson, text);
      }),
      { numRuns: 300 },
    );
  });

  it('have the names in them as the file has them, also if bytes of it are no UTF-8', async () => {
    const content = Buffer.from('{"images":["gr\u00fcn", "b"], "\u00fc": "\u00e4"}', 'latin1');
    const { found } = await visited(content, { readAtOnce: 3 });
    assert.deepEqual(values(found, 'images'), ['gr\uFFFDn', 'b']);
  });

  it('may be nested deeply; what is nested deeply elsewhere is refused', async () => {
    const nest = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const { found } = await visited(`{"images": [${nest}, 1]}`);
    assert.equal(found.get('images')?.length, 2);
    await assert.rejects(visited(`{"info": ${nest}}`), /more than 1000 levels of nesting: line 1, column 1009/);
  });

  it('are refused by name and place if one is too large, and so is a text elsewhere', async () => {
    const large = 'x'.repeat(5_000);
    const options = { readAtOnce: 100, mostBytes: 1_000 };
    const lists = { images: [1], annotations: [{ id: 1 }, { id: 2, large }] };
    await assert.rejects(visited(JSON.stringify(lists), options), /1000 bytes in annotations\[1\]: line 1, column 39/);
    await assert.rejects(visited(JSON.stringify({ info: large }), options), /more than 1000 bytes in a value/);
    const many = { info: Array.from({ length: 5_000 }, (_, at) => ({ at })), images: [2] };
    assert.deepEqual(values((await visited(JSON.stringify(many), options)).found, 'images'), [2]);
  });

  it('are not read from a file that changed since', async () => {
    const { file, found } = await visited('{"images": [1, 2]}');
    await writeFile(path, '{"images": [1, 2, 3]}');
    await assert.rejects(file.read(found.get('images') ?? []), (error: unknown) => {
      return error instanceof PartloopError && error.code === 'interrupted' && /changed/.test(error.message);
    });
  });
});
