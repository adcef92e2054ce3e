/** Columns with more texts than this are taken for those that differ from row to row, such as ids. */
const MOST = 2_048;

/** Texts that many rows of a table have in common, each kept once: a database gives each row a copy of its own. */
export class SharedTexts {
  private readonly columns = new Map<string, Map<string, string> | null>();

  /** The value itself, or an equal text of an earlier row in this column. */
  of<T>(column: string, value: T): T | string {
    if (typeof value !== 'string') return value;
    const known = this.columns.get(column);
    if (known === null) return value;
    if (known === undefined) {
      this.columns.set(column, new Map([[value, value]]));
      return value;
    }
    const there = known.get(value);
    if (there !== undefined) return there;
    if (known.size === MOST) this.columns.set(column, null);
    else known.set(value, value);
    return value;
  }
}
