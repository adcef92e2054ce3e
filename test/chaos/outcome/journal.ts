import { appendFileSync } from 'node:fs';

/** What happened, as JSON lines with their time: faults, what they did, sentences met, rounds. */
export class Journal {
  readonly path: string;
  readonly #say: (text: string) => void;

  constructor(path: string, say: (text: string) => void) {
    this.path = path;
    this.#say = say;
  }

  note(event: string, facts: Record<string, unknown> = {}): void {
    const line = JSON.stringify({ time: new Date().toISOString(), event, ...facts });
    appendFileSync(this.path, `${line}\n`);
    this.#say(line);
  }
}
