/** A longer line is split: a log keeps all of it, in lines that people can read. */
const LONGEST_LINE = 2_000;

/** Splits the output of a program into lines; progress bars, which return to the start of the line, make lines too. */
export class PrintedLines {
  #rest = '';

  constructor(private readonly onLine: (line: string) => void) {}

  push(text: string): void {
    const parts = (this.#rest + text).split(/\r\n|\n|\r/);
    this.#rest = parts.pop() ?? '';
    for (const part of parts) this.#tell(part);
    if (this.#rest.length > LONGEST_LINE) this.end();
  }

  /** The program has ended: its unfinished last line counts as a line. */
  end(): void {
    this.#tell(this.#rest);
    this.#rest = '';
  }

  #tell(line: string): void {
    for (let at = 0; at < line.length; at += LONGEST_LINE) this.onLine(line.slice(at, at + LONGEST_LINE));
  }
}
