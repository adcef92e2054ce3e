import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const SLOWEST = 10;
const WHY_LENGTH = 300;

/**
 * What failed, what was skipped and how long each test file took, from what Mocha's reporter and pytest leave in a
 * folder of this run.
 */
export class RunRecord {
  #folder = mkdtempSync(join(tmpdir(), 'partloop-tests-'));
  #root;

  constructor(root) {
    this.#root = root;
  }

  /** What Mocha's processes need to be told; they may run beside each other. */
  get environment() {
    return { ...process.env, PARTLOOP_TEST_RECORD: join(this.#folder, 'mocha.jsonl') };
  }

  /** Where pytest writes its report as JUnit's XML. */
  get junit() {
    return join(this.#folder, 'pytest.xml');
  }

  /**
   * The slowest files with their seconds, as lines to print; the failures, each with title, reason and, of Mocha, its
   * compiled file; the titles of skipped tests. The folder is gone afterwards.
   */
  take() {
    const lines = this.#read('mocha.jsonl')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    const cases = [...this.#read('pytest.xml').matchAll(TEST_CASE)].map(({ groups }) => groups);
    rmSync(this.#folder, { recursive: true, force: true });
    return { slowest: this.#slowest(lines, cases), failures: failures(lines, cases), skipped: skipped(lines, cases) };
  }

  #slowest(lines, cases) {
    const seconds = new Map();
    const add = (file, more) => seconds.set(file, (seconds.get(file) ?? 0) + more);
    for (const { file, seconds: taken } of lines)
      if (file !== undefined) add(relative(join(this.#root, 'dist'), file).replace(/\.js$/, '.ts'), taken);
    for (const { module, time } of cases) add(`${trainerFile(module)}`, Number(time));
    return [...seconds]
      .sort(([, a], [, b]) => b - a)
      .slice(0, SLOWEST)
      .map(([file, taken]) => `${taken.toFixed(1).padStart(7)} s  ${file}`);
  }

  #read(name) {
    const path = join(this.#folder, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }
}

/** A failure as two lines to print. */
export const failureText = ({ title, why }) => `${title}\n    ${why.replace(/\s+/g, ' ').slice(0, WHY_LENGTH)}`;

const TEST_CASE =
  /<testcase classname="(?<module>[^"]+)" name="(?<name>[^"]+)" time="(?<time>[\d.]+)"\s*(?:\/>|>(?:<(?:failure|error) message="(?<why>[^"]*)"|(?<skip><skipped\b))?)/g;

/** The file of `tests.run.test_resume`, or of a class in it. */
const trainerFile = (module) => `trainer/${module.replace(/(\.test_\w+)\..*$/, '$1').replaceAll('.', '/')}.py`;
const trainerTitle = ({ module, name }) => `${trainerFile(module)} ${name}`;

function failures(lines, cases) {
  return [
    ...lines
      .filter(({ failed }) => failed !== undefined)
      .map(({ failed, why, by: file }) => ({ title: failed, why, file })),
    ...cases.filter(({ why }) => why !== undefined).map((one) => ({ title: trainerTitle(one), why: one.why })),
  ];
}

function skipped(lines, cases) {
  return [
    ...lines.filter((line) => line.skipped !== undefined).map((line) => line.skipped),
    ...cases.filter(({ skip }) => skip !== undefined).map(trainerTitle),
  ];
}
