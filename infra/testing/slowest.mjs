import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const SHOWN = 10;

/** How long each test file took, from what Mocha's reporter and pytest leave in a folder of this run. */
export class FileTimes {
  #folder = mkdtempSync(join(tmpdir(), 'partloop-times-'));
  #root;

  constructor(root) {
    this.#root = root;
  }

  /** What Mocha's processes need to be told; they may run beside each other. */
  get environment() {
    return { ...process.env, PARTLOOP_TEST_TIMES: join(this.#folder, 'mocha.jsonl') };
  }

  /** Where pytest writes its report as JUnit's XML. */
  get junit() {
    return join(this.#folder, 'pytest.xml');
  }

  /** The slowest files with their seconds, as lines to print; the folder is gone afterwards. */
  take() {
    const seconds = new Map();
    const add = (file, more) => seconds.set(file, (seconds.get(file) ?? 0) + more);
    for (const line of this.#read('mocha.jsonl').split('\n').filter(Boolean)) {
      const { file, seconds: taken } = JSON.parse(line);
      add(relative(join(this.#root, 'dist'), file).replace(/\.js$/, '.ts'), taken);
    }
    for (const [, name, taken] of this.#read('pytest.xml').matchAll(
      /<testcase classname="([^"]+)"[^>]* time="([\d.]+)"/g,
    ))
      add(`trainer/${name.split('.').slice(0, 2).join('/')}.py`, Number(taken));
    rmSync(this.#folder, { recursive: true, force: true });
    return [...seconds]
      .sort(([, a], [, b]) => b - a)
      .slice(0, SHOWN)
      .map(([file, taken]) => `${taken.toFixed(1).padStart(7)} s  ${file}`);
  }

  #read(name) {
    const path = join(this.#folder, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }
}
