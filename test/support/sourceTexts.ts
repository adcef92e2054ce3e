import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { z } from 'zod';
import { ROOT, venvBinary } from './binaries.js';

/** A text that people may read, and its place. Parts that are filled in at run time are `x`. */
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

/** Prints the strings of Python files but docstrings, as JSON: what an f-string fills in is `x`. */
const PYTHON_TEXTS = `
import ast, json, pathlib, sys
found = []
for path in sys.argv[1:]:
    tree = ast.parse(pathlib.Path(path).read_text())
    known = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            known |= {id(part) for part in node.values}
            text = "".join(part.value if isinstance(part, ast.Constant) else "x" for part in node.values)
            found.append({"where": f"{path}:{node.lineno}", "text": text})
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in known:
            found.append({"where": f"{path}:{node.lineno}", "text": node.value})
print(json.dumps(found))
`;

/**
 * Every string of the trainer's sources that a user may read. `job.py` and `identity.py` speak of the fields of their
 * own files.
 */
export function trainerTexts(): PlacedText[] {
  const files = repositoryFiles().filter((name) => /^trainer\/partloop_trainer\/.*\.py$/.test(name));
  const read = files.filter((name) => !/\/(job|identity)\.py$/.test(name));
  const args = ['-c', PYTHON_TEXTS, ...read];
  const printed = execFileSync(venvBinary('python'), args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 26 });
  return z.array(z.object({ where: z.string(), text: z.string() })).parse(JSON.parse(printed));
}

/** README, the changelog and the pages of `docs/`. */
export function pages(): { name: string; text: string }[] {
  return repositoryFiles()
    .filter((name) => /^(README|CHANGELOG)\.md$/.test(name) || /^docs\/.*\.md$/.test(name))
    .map((name) => ({ name, text: readFileSync(join(ROOT, name), 'utf8') }));
}
