import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { connectClient } from '../connections.js';
import { workflowBuild, workflowBundle } from '../workflowCode.js';
import { replayCheck } from './replayCheck.js';

/**
 * `node dist/workers/checks/replayCheckMain.js --seconds N`: replays the open workflows of other builds and prints the
 * report as JSON. A separate process, so that the supervisor of workers loads no native code.
 */
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } });
const until = Date.now() + 1_000 * Number(values.seconds);
const report = await replayCheck(await connectClient(), workflowBundle(root), { build: workflowBuild(root), until });
process.stdout.write(JSON.stringify(report), () => process.exit(0));
