/** dist/workflows/index.js -> dist/workflow-bundle.js, the file that workers load. */
import { renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

const dist = resolve(dirname(fileURLToPath(import.meta.url)), '..', 'dist');
const quiet = { trace() {}, debug() {}, info() {}, log() {}, warn: console.warn, error: console.error };

const { code } = await bundleWorkflowCode({ workflowsPath: join(dist, 'workflows', 'index.js'), logger: quiet });
// By rename, so that a worker that starts meanwhile never reads half a bundle.
writeFileSync(join(dist, 'workflow-bundle.js.new'), code);
renameSync(join(dist, 'workflow-bundle.js.new'), join(dist, 'workflow-bundle.js'));
