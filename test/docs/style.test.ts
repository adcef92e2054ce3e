import assert from 'node:assert/strict';
import { pages } from '../support/sourceTexts.js';

const LONGEST = 120;
/** Made from the code, which another test compares it with. */
const GENERATED = 'docs/config.md';

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
    const prose = pages()
      .filter(({ name }) => name !== GENERATED)
      .flatMap(({ name, text }) => proseOf(text).map((line) => ({ ...line, name })));
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

describe('what counts as prose', () => {
  const lines = (page: string): string[] => proseOf(page).map(({ text }) => text);

  it('is paragraphs, headings and list items', () => {
    const page = '# A title\n\nOne line\n- an item';
    assert.deepEqual(lines(page), ['# A title', 'One line', '- an item']);
  });

  it('is no table, no code, no definition of a link, and no single word that cannot be broken', () => {
    const page =
      '| a | b |\n    npm run demo\n```\nnpm run demo\n```\n[a]: https://a.example/b c\n- https://a.example/b';
    assert.deepEqual(lines(page), []);
  });
});
