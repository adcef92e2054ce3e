/** Bundles scripts and style sheet of the board for browsers, into dist/assets/board. */
import { join } from 'node:path';
import { build } from 'esbuild';
import { ROOT } from './setup/shell.mjs';

const client = join(ROOT, 'board', 'client');

await build({
  entryPoints: ['review.ts', 'audit.ts', 'grid.ts', 'loop.ts', 'board.css'].map((name) => join(client, name)),
  outdir: join(ROOT, 'dist', 'assets', 'board'),
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  legalComments: 'none',
  tsconfig: join(client, 'tsconfig.json'),
  logLevel: 'warning',
});
