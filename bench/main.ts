#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { reportError } from '../cli/terminal/output.js';
import { auditCommand } from './audit/command.js';
import { boardCommand } from './board/command.js';
import { certifyCommand } from './certify/command.js';
import { cleaningCommand } from './cleaning/command.js';
import { copiesCommand } from './copies/command.js';
import { dayCommand } from './day/command.js';
import { detectCommand } from './detect/command.js';
import { drawCommand } from './draw/command.js';
import { experimentCommand } from './experiment/command.js';
import { explainCommand } from './explain/command.js';
import { fetchCommand } from './fetch/command.js';
import { fuzzCommand } from './fuzz/command.js';
import { gateCommand } from './gate/command.js';
import { importCommand } from './import/command.js';
import { int8Command } from './int8/command.js';
import { parityCommand } from './parity/command.js';
import { poolCommand } from './pool/command.js';
import { priorsCommand } from './priors/command.js';
import { propagateCommand } from './propagate/command.js';
import { sampleCommand } from './sample/command.js';
import { scaleCommand } from './scale/command.js';
import { scanCommand } from './scan/command.js';
import { tagsCommand } from './tags/command.js';
import { ablationCommand } from './trainer/ablation.js';
import { accuracyCommand } from './trainer/accuracy.js';
import { paceCommand } from './trainer/pace.js';

const EXIT_USAGE = 2;

async function main(argv: string[]): Promise<number> {
  const program = new Command('npm run bench --')
    .description('Measurements against peers and limits; never part of the tests')
    .addCommand(auditCommand())
    .addCommand(boardCommand())
    .addCommand(dayCommand())
    .addCommand(certifyCommand())
    .addCommand(cleaningCommand())
    .addCommand(copiesCommand())
    .addCommand(detectCommand())
    .addCommand(drawCommand())
    .addCommand(parityCommand())
    .addCommand(poolCommand())
    .addCommand(priorsCommand())
    .addCommand(sampleCommand())
    .addCommand(scaleCommand())
    .addCommand(propagateCommand())
    .addCommand(scanCommand())
    .addCommand(tagsCommand())
    .addCommand(experimentCommand())
    .addCommand(explainCommand())
    .addCommand(fetchCommand())
    .addCommand(fuzzCommand())
    .addCommand(gateCommand())
    .addCommand(importCommand())
    .addCommand(int8Command())
    .addCommand(paceCommand())
    .addCommand(accuracyCommand())
    .addCommand(ablationCommand())
    .exitOverride();
  for (const command of program.commands) command.exitOverride();
  try {
    await program.parseAsync(argv);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    return reportError(error);
  }
}

process.exitCode = await main(process.argv);
