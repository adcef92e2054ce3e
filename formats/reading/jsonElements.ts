import { Tokenizer, TokenizerError, TokenParser, TokenType } from '@streamparser/json';
import { PartloopError } from '../../domain/base/errors.js';
import { asciiOf, markBytes } from './jsonBytes.js';
import { notJson, placeText } from './jsonPlace.js';
import type { SizedFile } from './sizedFile.js';

/** Bytes of one element, or of one text or number elsewhere, which are in memory as a whole. */
export const MAX_VALUE_BYTES = 64 * 2 ** 20;
/** Levels of nesting outside of elements. */
const MAX_DEPTH = 1_000;
const READ_AT_ONCE = 256 * 2 ** 10;
/** Beyond this the tokenizer keeps the bytes of a text together; a letter each would take many times as much. */
const TEXT_BUFFER = 64 * 2 ** 10;

/** An element of a list at the top of a JSON file, and the bytes that hold it. */
export interface JsonElement {
  /** The name of the list. */
  list: string;
  /** Its place in the list. */
  index: number;
  begin: number;
  size: number;
  value: unknown;
}

export interface VisitOptions {
  /** Bytes; only tests need others. */
  readAtOnce?: number;
  mostBytes?: number;
  /** Ends the reading. */
  signal?: AbortSignal | undefined;
}

export interface ElementVisitor {
  /** A list begins. If a file has two of one name, the last one counts, as everywhere in JSON. */
  restart(list: string): void;
  element(element: JsonElement): void;
}

/**
 * Read a JSON file from front to back, and visit the elements of some lists at its top. Memory does not depend on the
 * size of the file, but on its largest element. All else is checked to be JSON, and forgotten.
 *
 * @param lists the names of these lists
 * @returns the value of the file without what is in it: of an object its fields named by `lists`, each without content
 * @throws PartloopError `input-invalid` for what is not JSON, with line and column, and for too large an element;
 * `interrupted` by the signal
 */
export async function visitElements(
  file: SizedFile,
  lists: readonly string[],
  visitor: ElementVisitor,
  { readAtOnce = READ_AT_ONCE, mostBytes = MAX_VALUE_BYTES, signal }: VisitOptions = {},
): Promise<unknown> {
  const scanner = new ElementScanner(lists, visitor, mostBytes, await markBytes(file));
  try {
    for await (const chunk of file.chunks(readAtOnce)) {
      if (signal?.aborted === true)
        throw new PartloopError('interrupted', `the reading of ${file.name} was interrupted`);
      scanner.write(chunk);
    }
    return scanner.end();
  } catch (error) {
    if (error instanceof TooLarge) {
      const place = await placeText(file, error.at);
      throw new PartloopError('input-invalid', `${file.name} has ${error.message}: ${place}`);
    }
    if (error instanceof NotJson) throw await notJson(file, error.at, error);
    throw error;
  }
}

/** No JSON, from this byte on; null if there is nothing at all. */
class NotJson extends Error {
  constructor(
    readonly at: number | null,
    cause: unknown,
  ) {
    super('not JSON', { cause });
  }
}

class TooLarge extends Error {
  constructor(
    message: string,
    readonly at: number,
  ) {
    super(message);
  }
}

/**
 * The parser tells where elements begin and end; their values come from `JSON.parse` of these bytes. So bytes that are
 * no ASCII, which mean something in texts only, are hidden from the parser: it would refuse a whole file for one name
 * in Latin-1.
 */
class ElementScanner {
  readonly #tokenizer = new Tokenizer({ stringBufferSize: TEXT_BUFFER });
  readonly #grammar: TokenParser;
  readonly #top = new Map<string, unknown>();
  #root: unknown;
  #depth = 0;
  /** The field at the top that is read, and whether the next text there is the name of one. */
  #field = '';
  #isName = false;
  /** The list whose elements are visited now. */
  #list: string | null = null;
  #index = 0;
  /** Where the element begins that is read now. */
  #begin: number | null = null;
  /** Bytes from `#keptFrom` on. */
  #kept: Buffer[] = [];
  #keptFrom = 0;
  #read = 0;
  #tokenAt: number | null = null;

  constructor(
    private readonly lists: readonly string[],
    private readonly visitor: ElementVisitor,
    private readonly mostBytes: number,
    /** The bytes of a byte order mark. */
    private readonly markBytes: number,
  ) {
    this.#grammar = new TokenParser({ paths: lists.map((list) => `$.${list}.*`), keepStack: false });
    this.#grammar.onValue = () => undefined;
    this.#tokenizer.onToken = ({ token, value, offset }) => {
      this.#tokenAt = offset;
      this.#grammar.write({ token, value });
      this.#take(token, value, offset);
    };
  }

  write(chunk: Buffer): void {
    this.#forget();
    this.#kept.push(chunk);
    const blanks = Math.max(0, this.markBytes - this.#read);
    this.#read += chunk.length;
    this.#guarded(() => this.#tokenizer.write(asciiOf(chunk, blanks)));
    const since = this.#begin ?? this.#tokenAt ?? 0;
    if (this.#read - since > this.mostBytes) throw this.#tooLarge(since);
  }

  end(): unknown {
    if (this.#tokenAt === null && this.#read === 0) throw new NotJson(null, undefined);
    this.#guarded(() => this.#tokenizer.end(), this.#read);
    if (!this.#grammar.isEnded) throw new NotJson(this.#tokenAt === null ? null : this.#read, undefined);
    return this.#root === this.#top ? Object.fromEntries(this.#top) : this.#root;
  }

  /** Let go of the bytes before the element that is read now; where a text begins is told at its end. */
  #forget(): void {
    const begin = this.#begin ?? (this.#list === null ? this.#read : (this.#tokenAt ?? 0));
    while (this.#kept.length > 0 && this.#keptFrom < begin) {
      const [first] = this.#kept as [Buffer];
      const ahead = begin - this.#keptFrom;
      if (ahead < first.length) this.#kept[0] = first.subarray(ahead);
      else this.#kept.shift();
      this.#keptFrom += Math.min(ahead, first.length);
    }
  }

  #guarded(work: () => void, at?: number): void {
    try {
      work();
    } catch (cause) {
      if (cause instanceof NotJson || cause instanceof TooLarge) throw cause;
      const said = cause instanceof TokenizerError ? /absolute position "(\d+)"/.exec(cause.message)?.[1] : undefined;
      throw new NotJson(at ?? (said === undefined ? this.#tokenAt : Number(said)), cause);
    }
  }

  #take(token: TokenType, value: unknown, at: number): void {
    switch (token) {
      case TokenType.LEFT_BRACE:
      case TokenType.LEFT_BRACKET:
        this.#open(token === TokenType.LEFT_BRACKET, at);
        return;
      case TokenType.RIGHT_BRACE:
      case TokenType.RIGHT_BRACKET:
        if (this.#depth === 2) this.#endElement(at);
        this.#depth -= 1;
        if (this.#depth === 1) this.#list = null;
        return;
      case TokenType.COMMA:
        if (this.#depth === 2) this.#endElement(at);
        if (this.#depth === 1) this.#isName = true;
        return;
      case TokenType.COLON:
        return;
      default:
        this.#plainValue(value, at);
    }
  }

  #open(isList: boolean, at: number): void {
    if (this.#depth === 0) {
      this.#root = isList ? [] : this.#top;
      this.#isName = !isList;
    } else if (this.#depth === 1 && this.#root === this.#top) {
      this.#setField(isList ? [] : {});
      if (isList && this.lists.includes(this.#field)) {
        this.#list = this.#field;
        this.#index = 0;
        this.visitor.restart(this.#list);
      }
    } else if (this.#depth === 2 && this.#list !== null) this.#begin ??= at;
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH && this.#begin === null)
      throw new TooLarge(`more than ${MAX_DEPTH} levels of nesting`, at);
  }

  #plainValue(value: unknown, at: number): void {
    if (this.#depth === 0) this.#root = value;
    else if (this.#depth === 1 && this.#isName) {
      this.#field = String(value);
      this.#isName = false;
    } else if (this.#depth === 1) this.#setField(typeof value === 'string' ? '' : value);
    else if (this.#depth === 2 && this.#list !== null) this.#begin ??= at;
  }

  #setField(value: unknown): void {
    if (this.lists.includes(this.#field)) this.#top.set(this.#field, value);
  }

  /** @param end where the comma or bracket behind the element is */
  #endElement(end: number): void {
    const [list, begin] = [this.#list, this.#begin];
    if (list === null || begin === null) return;
    if (end - begin > this.mostBytes) throw this.#tooLarge(begin);
    const kept = this.#kept.length === 1 ? (this.#kept[0] as Buffer) : Buffer.concat(this.#kept);
    this.#kept = [kept];
    const text = kept.toString('utf8', begin - this.#keptFrom, end - this.#keptFrom);
    this.#begin = null;
    this.visitor.element({ list, index: this.#index++, begin, size: end - begin, value: this.#parsed(text, begin) });
  }

  #parsed(text: string, begin: number): unknown {
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new NotJson(begin, cause);
    }
  }

  #tooLarge(at: number): TooLarge {
    const what = this.#list === null || this.#begin === null ? 'a value' : `${this.#list}[${this.#index}]`;
    return new TooLarge(`more than ${this.mostBytes} bytes in ${what}`, at);
  }
}
