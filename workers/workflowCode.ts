import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PartloopError } from '../domain/base/errors.js';

/**
 * The place of the compiled workflows: the bundle made at build time if there is one, since workers then start within a
 * second.
 */
export function workflowCode(root: string): { workflowBundle: { codePath: string } } | { workflowsPath: string } {
  const codePath = join(root, 'dist', 'workflow-bundle.js');
  return existsSync(codePath)
    ? { workflowBundle: { codePath } }
    : { workflowsPath: join(root, 'dist', 'workflows', 'index.js') };
}

/**
 * The bundle, for a replay.
 *
 * @throws PartloopError `setup-incomplete` if there is no bundle
 */
export function workflowBundle(root: string): { codePath: string } {
  const code = workflowCode(root);
  if ('workflowBundle' in code) return code.workflowBundle;
  throw new PartloopError('setup-incomplete', 'dist lacks workflow-bundle.js', { hint: 'Run `npm run bootstrap`.' });
}

/** Only this part contains paths of the machine that made the bundle. */
const SOURCE_MAP = /^\/\/# sourceMappingURL=.*$/m;

/**
 * The build that workers of these workflows name in histories: a digest of their code, which is equal wherever equal
 * code was bundled. Null if there is no bundle.
 */
export function workflowBuild(root: string): string | null {
  const code = workflowCode(root);
  if (!('workflowBundle' in code)) return null;
  const text = readFileSync(code.workflowBundle.codePath, 'utf8').replace(SOURCE_MAP, '');
  return `partloop-${createHash('sha256').update(text).digest('hex').slice(0, 12)}`;
}
