import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VARIABLE_NAMES } from '../../domain/settings/variables.js';
import { ROOT } from '../support/binaries.js';

interface Stage {
  name: string;
  from: string;
  /** Instructions after FROM, continuation lines joined, comments left out. */
  lines: string[];
}

function stagesOf(dockerfile: string): Stage[] {
  const lines = dockerfile
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter(Boolean);
  const stages: Stage[] = [];
  for (const line of lines) {
    const [, from, name] = /^FROM (\S+) AS (\S+)$/.exec(line) ?? [];
    if (from !== undefined && name !== undefined) stages.push({ name, from, lines: [] });
    else stages.at(-1)?.lines.push(line);
  }
  return stages;
}

const read = (...path: string[]) => readFileSync(join(ROOT, ...path), 'utf8');
const stages = stagesOf(read('infra', 'docker', 'Dockerfile'));
const stageOf = (name: string): Stage => {
  const stage = stages.find((one) => one.name === name);
  assert.ok(stage, name);
  return stage;
};
/** All that an image is made by: its stage after those that it stands on. */
const allOf = (name: string): string[] => {
  const { from, lines } = stageOf(name);
  return [...(stages.some((one) => one.name === from) ? allOf(from) : []), ...lines];
};

describe('the images', () => {
  for (const image of ['worker', 'trainer'])
    describe(`${image}`, () => {
      const lines = allOf(image);
      const last = (instruction: string) => lines.filter((line) => line.startsWith(`${instruction} `)).at(-1);

      it('runs as a user without rights, under tini, which passes SIGTERM on', () => {
        assert.equal(last('USER'), 'USER 10001:10001');
        assert.equal(last('STOPSIGNAL'), 'STOPSIGNAL SIGTERM');
        assert.equal(last('ENTRYPOINT'), 'ENTRYPOINT ["/usr/bin/tini", "--", "node", "dist/workers/main.js"]');
      });

      it('has no compiler, no npm and no installer of Python packages', () => {
        const installed = lines.filter((line) => /apt-get install/.test(line)).join(' ');
        assert.match(installed, /ca-certificates tini/);
        assert.doesNotMatch(installed, /gcc|g\+\+|make|build-essential|git|curl|wget|npm|pip|venv|-dev\b/);
        assert.ok(!lines.some((line) => /^RUN .*\bnpm\b/.test(line)));
        const taken = lines.filter((line) => line.startsWith('COPY --from='));
        assert.ok(taken.length >= 3);
        for (const line of taken)
          assert.match(line, /(\/usr\/local\/bin\/node|\/app\/node_modules|\/app\/dist|\/app\/\.venv) \S+$/);
      });

      it('answers its health check by a port that workers know', () => {
        assert.match(last('HEALTHCHECK') ?? '', /PARTLOOP_HEALTH_PORT.*\/live/);
        const set = lines
          .filter((line) => line.startsWith('ENV '))
          .flatMap((line) => line.match(/PARTLOOP_\w+/g) ?? []);
        assert.ok(set.length > 1);
        for (const name of set) assert.ok((VARIABLE_NAMES as string[]).includes(name), name);
      });
    });

  it('take packages from lock files alone', () => {
    const run = stages.flatMap(({ lines }) => lines).filter((line) => line.startsWith('RUN '));
    const npm = run.flatMap((line) => line.match(/npm [a-z]+( --omit=dev)?/g) ?? []);
    assert.deepEqual(npm, ['npm ci', 'npm ci --omit=dev']);
    assert.ok(run.some((line) => line.includes('node infra/docker/python.mjs')));
    assert.ok(!run.some((line) => /\bpip\b|curl|wget/.test(line)));
  });

  it('name a version of each image that they start from', () => {
    const args = Object.fromEntries(
      [...read('infra', 'docker', 'Dockerfile').matchAll(/^ARG (\w+)=(\S+)$/gm)].map(([, name, value]) => [
        name,
        value,
      ]),
    );
    const foreign = stages.map(({ from }) => from).filter((from) => !stages.some(({ name }) => name === from));
    for (const from of foreign) {
      const [, name = ''] = /:\$\{(\w+)\}$/.exec(from) ?? [];
      assert.ok(args[name] !== undefined && args[name] !== 'latest', from);
    }
  });
});

describe('what is sent to the builder of images', () => {
  const kept = read('.dockerignore')
    .split('\n')
    .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []));
  const files = execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n');
  const matchesGlob = (file: string, glob: string): boolean => {
    const [before = '', after] = glob.split('*');
    return after === undefined ? file === glob : file.startsWith(before) && file.endsWith(after);
  };
  const isKept = (file: string) => kept.some((one) => file.startsWith(`${one}/`) || matchesGlob(file, one));

  it('is what the compiler is told to compile, but for tests, measurements and the demo', () => {
    const { include } = JSON.parse(read('tsconfig.json')) as { include: string[] };
    const missing = include.filter((folder) => !kept.includes(folder));
    assert.deepEqual(missing.sort(), ['bench', 'demo', 'test']);
  });

  it('has every file that an instruction copies', () => {
    const copied = stages
      .flatMap(({ lines }) => lines)
      .filter((line) => /^COPY (?!--from)/.test(line))
      .flatMap((line) => line.split(' ').slice(1, -1))
      .filter((source) => source !== '.');
    assert.ok(copied.length > 5);
    for (const source of copied)
      assert.ok(
        files.some((file) => (file === source || file.startsWith(`${source}/`)) && isKept(file)),
        source,
      );
  });

  it('names nothing that is not there', () => {
    for (const one of kept)
      assert.ok(
        files.some((file) => file.startsWith(`${one}/`) || matchesGlob(file, one)),
        one,
      );
  });

  it('has no test, no picture and no key', () => {
    const sent = files.filter(isKept);
    assert.ok(sent.length > 500);
    assert.deepEqual(
      sent.filter((file) => /\.test\.|\.(png|jpg|pem|key|env)$|^docs\/|tests\//.test(file)),
      [],
    );
  });
});
