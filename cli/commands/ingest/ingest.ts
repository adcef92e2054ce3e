import type { Command } from 'commander';
import { registerListen } from './ingestListen.js';
import { registerReceipts } from './ingestReceipts.js';
import { registerRules } from './ingestRules.js';
import { registerRun } from './ingestRun.js';
import { registerSchedule } from './ingestSchedule.js';
import { registerSend } from './ingestSend.js';
import { registerStatus } from './ingestStatus.js';

/** `partloop ingest run|status|receipts|rules|send|schedule|listen`. */
export function register(program: Command): void {
  const ingest = program.command('ingest').description('Take in what clients put into the inboxes of pools');
  registerRun(ingest);
  registerStatus(ingest);
  registerReceipts(ingest);
  registerRules(ingest);
  registerSend(ingest);
  registerSchedule(ingest);
  registerListen(ingest);
}
