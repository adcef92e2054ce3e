import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/binaries.js';
import { pages, repositoryFiles } from '../support/sourceTexts.js';

const LONGEST = 120;
interface Line {
  text: string;
  at: number;
}

/** The lines of a page that are prose: no table, no code, no definition of a link, and more than one word. */
function proseOf(page: string): Line[] {
  let fenced = false;
  return page.split('\n').flatMap((text, index) => {
    const isFence = text.trimStart().startsWith('```');
    if (isFence) fenced = !fenced;
    const isCode = isFence || fenced || text.startsWith('    ');
    const isTable = text.startsWith('|');
    const isDefinition = /^\[[^\]]+\]: /.test(text);
    const isUnbreakable = !/\S\s+\S/.test(text.replace(/^\s*(?:[-*]|\d+\.)\s+/, ''));
    return isCode || isTable || isDefinition || isUnbreakable ? [] : [{ text, at: index + 1 }];
  });
}

describe('the pages for people', () => {
  it('have prose lines of at most 120 characters', () => {
    const prose = pages().flatMap(({ name, text }) => proseOf(text).map((line) => ({ ...line, name })));
    assert.ok(prose.length > 500, `${prose.length} lines of prose`);
    assert.deepEqual(
      prose.filter(({ text }) => [...text].length > LONGEST).map(({ name, at }) => `${name}:${at}`),
      [],
    );
  });

  it('have prose lines that end with a word, not with a blank', () => {
    const blank = pages().flatMap(({ name, text }) =>
      proseOf(text).flatMap((line) => (/\s$/.test(line.text) ? [`${name}:${line.at}`] : [])),
    );
    assert.deepEqual(blank, []);
  });

  it('include the changelog, the results by topic and the decisions', () => {
    const names = pages().map(({ name }) => name);
    for (const name of ['README.md', 'CHANGELOG.md', 'docs/results/loop.md', 'docs/decisions/README.md'])
      assert.ok(names.includes(name), name);
  });
});

describe('comments in the code', () => {
  it('have lines of at most 120 characters', () => {
    const sources = repositoryFiles().filter(
      (name) => /\.(tsx?|[cm]js)$/.test(name) && !name.startsWith('test/fixtures/'),
    );
    const comments = sources.flatMap((name) =>
      readFileSync(join(ROOT, name), 'utf8')
        .split('\n')
        .flatMap((text, index) => (/^\s*(\/\/|\/\*\*|\*)/.test(text) ? [{ text, at: `${name}:${index + 1}` }] : [])),
    );
    assert.ok(comments.length > 3_000, `${comments.length} lines of comments`);
    const long = comments.filter(({ text }) => [...text].length > LONGEST && !text.includes('biome-ignore'));
    assert.deepEqual(
      long.map(({ at }) => at),
      [],
    );
  });
});

describe('prose', () => {
  const lines = (page: string): string[] => proseOf(page).map(({ text }) => text);

  it('includes paragraphs, headings and list items', () => {
    const page = '# A title\n\nOne line\n- an item';
    assert.deepEqual(lines(page), ['# A title', 'One line', '- an item']);
  });

  it('includes no table, code, link definition, or single word that cannot be broken', () => {
    const page =
      '| a | b |\n    npm run demo\n```\nnpm run demo\n```\n[a]: https://a.example/b c\n- https://a.example/b';
    assert.deepEqual(lines(page), []);
  });
});
