import type { Command } from 'commander';
import { registerEval } from './modelEval.js';
import { registerList } from './modelList.js';
import { registerPromote } from './modelPromote.js';
import { registerRollback } from './modelRollback.js';
import { registerShow } from './modelShow.js';

/** `partloop model list|show|promote|rollback|eval`. */
export function register(program: Command): void {
  const model = program
    .command('model')
    .description('Models: which there are, how good they are, and which is in production');
  registerList(model);
  registerShow(model);
  registerPromote(model);
  registerRollback(model);
  registerEval(model);
}
