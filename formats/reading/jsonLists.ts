import { PartloopError } from '../../domain/base/errors.js';

/**
 * Largest number of letters of a file's lists: `readJsonFile` can read that back, with room for the rest of the file.
 */
const MAX_LETTERS = 400 * 2 ** 20;
/** Items per write. */
const AT_ONCE = 500;

/** The lists of one JSON file, written item by item: as objects they would take several times the memory. */
export class JsonLists<Name extends string> {
  private letters = 0;
  private readonly lists = new Map<Name, string[]>();

  constructor(
    private readonly file: string,
    private readonly most = MAX_LETTERS,
  ) {}

  /** Number of items in a list. */
  count(name: Name): number {
    return this.lists.get(name)?.length ?? 0;
  }

  /**
   * Add the items of one image, all or nothing.
   *
   * @throws PartloopError `data-invalid` if the file would grow too large to be read back
   */
  add(items: readonly (readonly [Name, object])[]): void {
    const written = items.map(([name, item]) => [name, JSON.stringify(item)] as const);
    const letters = written.reduce((sum, [, text]) => sum + text.length + 1, this.letters);
    if (letters > this.most)
      throw new PartloopError('data-invalid', `with it ${this.file} would have more than ${this.most} characters`, {
        hint: 'Export it as index masks: --format masks or cvat.',
      });
    this.letters = letters;
    for (const [name, text] of written) {
      const list = this.lists.get(name);
      if (list === undefined) this.lists.set(name, [text]);
      else list.push(text);
    }
  }

  /** A list as JSON, piece by piece. */
  *text(name: Name): Generator<string> {
    const texts = this.lists.get(name) ?? [];
    yield '[';
    for (let at = 0; at < texts.length; at += AT_ONCE)
      yield `${at === 0 ? '' : ','}${texts.slice(at, at + AT_ONCE).join(',')}`;
    yield ']';
  }
}
