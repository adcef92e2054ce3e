import { spawn } from 'node:child_process';
import { KernelLock, takeLock } from '../../../infra/processes/lock.js';

/**
 * A process of its own for the tests of the lock. `take` takes it and answers with its holder; `share` starts a child
 * that keeps the lock open, and answers with its pid.
 */
let lock: KernelLock | null = null;

process.on('message', async ({ order, path }: { order: 'take' | 'share'; path: string }) => {
  if (order === 'share' && lock !== null) {
    const stdio = ['ignore', 'ignore', 'ignore', lock.descriptor] as const;
    const child = spawn('sleep', ['600'], { detached: true, stdio: [...stdio] });
    process.send?.({ pid: child.pid });
    return;
  }
  const answer = await takeLock(path);
  if (answer instanceof KernelLock) lock = answer;
  process.send?.({ pid: answer instanceof KernelLock ? process.pid : answer.pid });
});
process.send?.({ pid: process.pid });
