import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { ROOT } from '../../infra/home.js';
import { trainerPython } from '../../training/process/process.js';

/**
 * Run one of the measuring scripts of `bench/` with the trainer's interpreter; what it says to people is passed on.
 *
 * @throws PartloopError `trainer-failed` if it does not end well
 */
export async function runScript<T>(script: string, argv: readonly string[], answer: z.ZodType<T>): Promise<T> {
  const child = spawn(await trainerPython(ROOT), [join(ROOT, 'bench', script), ...argv], {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      PYTHONPATH: join(ROOT, 'trainer'),
      OMP_WAIT_POLICY: 'PASSIVE',
      GOMP_SPINCOUNT: '10000',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  await once(child, 'close');
  if (child.exitCode !== 0) {
    throw new PartloopError('trainer-failed', `bench/${script} ended with code ${child.exitCode}`, {
      hint: 'What it said stands above.',
    });
  }
  return answer.parse(JSON.parse(stdout));
}
