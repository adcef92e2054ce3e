import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { z } from 'zod';
import { printLine, printText, say } from '../../cli/terminal/output.js';
import { PartloopError } from '../../domain/base/errors.js';
import { partloopHome, ROOT } from '../../infra/home.js';
import { describeMachine, machineLine } from '../machine.js';
import { peerPython } from '../peers/python.js';
import { fixed, markdownTable, writeResults } from '../results.js';
import { benchModel } from '../scan/model.js';
import { photoFolder } from '../scan/photos.js';

const SIZE = 512;
const IMAGES = { calibration: 48, images: 48 };

const answerSchema = z.object({
  floatMs: z.number(),
  int8Ms: z.number(),
  quantisedConvolutions: z.number(),
  agreement: z.number(),
});

/** `npm run bench -- int8`: gain and cost of static int8 quantisation of the backbone. */
export function int8Command(): Command {
  return new Command('int8')
    .description('CPU time of the network with its backbone quantised to int8, beside the network as it is')
    .action(async () => {
      const photos = photoFolder();
      if (photos === null) {
        throw new PartloopError('not-found', 'the DSMLR photos are not there', {
          hint: 'Set PARTLOOP_SHARED to the folder that holds dsmlr-car-parts.',
        });
      }
      const home = partloopHome();
      const machine = describeMachine(ROOT);
      printLine(machineLine(machine));
      const { logitsPath } = await benchModel(home, photos, SIZE);
      say('quantising and measuring …');
      const work = await mkdtemp(join(tmpdir(), 'partloop-int8-'));
      try {
        const job = { model: logitsPath, folder: join(photos, 'JPEGImages'), size: SIZE, work, ...IMAGES };
        const { stdout } = await promisify(execFile)(await peerPython(home, ROOT), [
          join(ROOT, 'bench', 'peers', 'int8_trial.py'),
          JSON.stringify(job),
        ]);
        const answer = answerSchema.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
        printLine(
          `\n${markdownTable([
            {
              'size (px)': SIZE,
              'float (ms CPU)': fixed(answer.floatMs, 1),
              'int8 backbone (ms CPU)': fixed(answer.int8Ms, 1),
              'times as fast': fixed(answer.floatMs / answer.int8Ms, 2),
              'pixels with the same answer': fixed(answer.agreement),
            },
          ])}`,
        );
        printText(`\n${await writeResults(home, 'int8', 'latest', { machine, answer })}`);
      } finally {
        await rm(work, { recursive: true, force: true });
      }
    });
}
