import { appendFileSync } from 'node:fs';

/** A journal of JSON lines with their time: faults, their effects, error messages, rounds. */
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
