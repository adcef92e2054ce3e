import { styleText } from 'node:util';
import type { Command } from 'commander';
import { examine } from '../../infra/doctor.js';
import { printJson, printLine } from '../terminal/output.js';

export function register(program: Command): void {
  program
    .command('doctor')
    .description('Check everything that a run needs, and say how to repair each fault')
    .option('--json', 'Print one JSON object on stdout')
    .action(async ({ json = false }: { json?: boolean }) => {
      const checks = await examine();
      const ok = checks.every((check) => check.ok || !check.required);
      if (json) printJson({ ok, checks });
      else {
        const width = Math.max(...checks.map(({ name }) => name.length));
        for (const check of checks) {
          printLine(`${mark(check.ok, check.required)} ${check.name.padEnd(width)}  ${check.detail}`);
          if (check.mend !== null) printLine(`  ${' '.repeat(width)}  ${check.mend}`);
        }
      }
      if (!ok) process.exitCode = 1;
    });
}

function mark(ok: boolean, required: boolean): string {
  const stream = process.stdout;
  if (ok) return styleText('green', '✓', { stream });
  return required ? styleText('red', '✗', { stream }) : styleText('yellow', '!', { stream });
}
