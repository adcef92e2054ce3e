import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { PartloopError } from '../../domain/base/errors.js';
import { iterationLabel } from '../../domain/base/ids.js';
import { recordedIteration } from '../../storage/loopState.js';
import { openEnvironmentStore } from '../environment.js';
import { name } from '../options.js';
import { openInBrowser } from '../terminal/openInBrowser.js';
import { printJson, printLine } from '../terminal/output.js';
import { wholeNumber } from './iteration.js';

/** `partloop report open`. */
export function register(program: Command): void {
  const report = program.command('report').description('Reports of iterations');
  report
    .command('open')
    .description('Fetch the report of an iteration as one HTML file and open it in the browser')
    .argument('<loop>', 'Name of the loop', name)
    .argument('[n]', 'Iteration; the last one if omitted', wholeNumber)
    .option('--no-browser', 'Only fetch the file and print its path')
    .option('--json', 'Print one JSON object on stdout')
    .action(async (loop: string, n: number | undefined, { browser, json }: { browser: boolean; json?: true }) => {
      const { store, env } = await openEnvironmentStore();
      const { iteration, current } = await recordedIteration(store, loop, n);
      const key = current.results.report?.outputs.report;
      if (key === undefined) {
        throw new PartloopError(
          'not-found',
          `iteration ${iteration} of loop \`${loop}\` has no report: ${current.error ?? 'it is not finished'}`,
          {
            hint: `\`partloop iteration show ${loop} ${iteration}\` shows how far it got.`,
          },
        );
      }
      const folder = join(env.home, 'reports', loop);
      const file = join(folder, `${iterationLabel(iteration)}.html`);
      await mkdir(folder, { recursive: true });
      await store.getFile(key, file);
      if (json) printJson({ loop, iteration, file, key });
      else printLine(file);
      if (browser && !json) openInBrowser(file);
    });
}
