import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from './binaries.js';

/** A text that people may read, and where it stands. Parts that are filled in at run time are `x`. */
export interface PlacedText {
  where: string;
  text: string;
}

/** Files of the repository, those not yet committed too. */
export function repositoryFiles(): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard'];
  const listed = execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' });
  return listed.split('\n').filter((name) => name !== '');
}

/** Every string of the TypeScript sources, without those of tests and benchmarks. */
export function sourceTexts(): PlacedText[] {
  return repositoryFiles()
    .filter((name) => /\.tsx?$/.test(name) && !/^(test|bench)\//.test(name))
    .flatMap((name) => textsOf(name));
}

function textsOf(name: string): PlacedText[] {
  const source = ts.createSourceFile(name, readFileSync(join(ROOT, name), 'utf8'), ts.ScriptTarget.Latest, true);
  const found: PlacedText[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) return;
    const text = textOf(node);
    if (text !== null) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      found.push({ where: `${name}:${line + 1}`, text });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function textOf(node: ts.Node): string | null {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return null;
  return node.head.text + node.templateSpans.map((span) => `x${span.literal.text}`).join('');
}

/** README and the pages of `docs/`. */
export function pages(): { name: string; text: string }[] {
  return repositoryFiles()
    .filter((name) => name === 'README.md' || /^docs\/.*\.md$/.test(name))
    .map((name) => ({ name, text: readFileSync(join(ROOT, name), 'utf8') }));
}
