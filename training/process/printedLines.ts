/** A line above this is told in parts: a log takes it all, in lines that people can read. */
const LONGEST_LINE = 2_000;

/** Cuts what a program prints into lines; progress bars, which go back to the start of the line, count as lines too. */
export class PrintedLines {
  #rest = '';

  constructor(private readonly onLine: (line: string) => void) {}

  push(text: string): void {
    const parts = (this.#rest + text).split(/\r\n|\n|\r/);
    this.#rest = parts.pop() ?? '';
    for (const part of parts) this.#tell(part);
    if (this.#rest.length > LONGEST_LINE) this.end();
  }

  /** The program has ended: what stands in its last line is a line. */
  end(): void {
    this.#tell(this.#rest);
    this.#rest = '';
  }

  #tell(line: string): void {
    for (let at = 0; at < line.length; at += LONGEST_LINE) this.onLine(line.slice(at, at + LONGEST_LINE));
  }
}
