import type { Command } from 'commander';
import { registerList } from './modelList.js';
import { registerPromote } from './modelPromote.js';
import { registerRollback } from './modelRollback.js';
import { registerShow } from './modelShow.js';

/** `partloop model list|show|promote|rollback`. */
export function register(program: Command): void {
  const model = program
    .command('model')
    .description('Models: which there are, how good they are, and which is in production');
  registerList(model);
  registerShow(model);
  registerPromote(model);
  registerRollback(model);
}
