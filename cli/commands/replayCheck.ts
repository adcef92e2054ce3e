import type { Command } from 'commander';
import { counted } from '../../domain/base/counted.js';
import { breakText, REPLAY_MENDS, type ReplayReport } from '../../domain/replayReport.js';
import { resolveEnvironment } from '../../infra/environment.js';
import { ROOT } from '../../infra/home.js';
import { connect } from '../environment.js';
import { printJson, printLine } from '../terminal/output.js';

export function register(program: Command): void {
  program
    .command('replay-check')
    .description('Replay all open workflows on this build and name those that it would break; changes nothing')
    .option('--json', 'Print one JSON object on stdout')
    .action(async ({ json = false }: { json?: boolean }) => {
      // Not `openStack`: workers of this build must not run before it is known whether they may.
      const client = await connect(await resolveEnvironment());
      try {
        const { replayCheck } = await import('../../workers/checks/replayCheck.js');
        const { workflowBundle } = await import('../../workers/workflowCode.js');
        const report = await replayCheck(client, workflowBundle(ROOT));
        if (json) printJson(report);
        else show(report);
        if (report.broken.length > 0) process.exitCode = 1;
      } finally {
        await client.connection.close();
      }
    });
}

function show({ replayed, broken }: ReplayReport): void {
  if (broken.length === 0) {
    printLine(`${counted(replayed, 'open workflow replays', 'open workflows replay')} on this build.`);
    return;
  }
  printLine(
    `${counted(broken.length, 'open workflow', 'open workflows')} of ${replayed} would get stuck on this build:`,
  );
  for (const one of broken) printLine(`  ${breakText(one)}`);
  for (const mend of REPLAY_MENDS) printLine(mend);
}
