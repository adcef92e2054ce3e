import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { z } from 'zod';
import { ROOT } from '../support/binaries.js';
import { atTerminal, CTRL_C } from '../support/terminal.js';

const errorSchema = z.object({ error: z.object({ code: z.string(), message: z.string(), exitCode: z.number() }) });
const MAIN = join(ROOT, 'dist', 'test', 'cli', 'interruptMain.js');

/** The same without a terminal: a signal as soon as `after` was said on stderr. */
function piped(args: readonly string[], after: string, signal: NodeJS.Signals) {
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
      if (stderr.includes(after)) child.kill(signal);
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

describe('Ctrl-C', function () {
  this.timeout(120_000);

  it('at a terminal says how far the command came and what to do, and ends with 130', async () => {
    const { code, output } = await atTerminal(
      [process.execPath, MAIN, 'counter'],
      [{ after: '17 images', type: CTRL_C }],
    );
    assert.match(output, /import stopped after 17 images\.\r\nRun the same command again to go on/);
    assert.equal(code, 130);
  });

  it('under a line of progress restores the cursor', async () => {
    const { code, output } = await atTerminal(
      [process.execPath, MAIN, 'progress'],
      [{ after: 'loop cars', type: CTRL_C }],
    );
    assert.ok(output.lastIndexOf('\u001b[?25h') > output.lastIndexOf('\u001b[?25l'));
    assert.match(output, /Interrupted\.\r\n$/);
    assert.equal(code, 130);
  });

  it('lets a command clean up if it has to', async () => {
    const { code, output } = await atTerminal(
      [process.execPath, MAIN, 'stoppable'],
      [{ after: 'at work', type: CTRL_C }],
    );
    assert.match(output, /Stopping … Ctrl-C again ends it at once\.[\s\S]*Put in order\./);
    assert.equal(code, 130);
  });

  it('gets an answer at once, even under a line of progress, if the command then ends cleanly', async () => {
    const { code, output } = await atTerminal(
      [process.execPath, MAIN, 'goodOrder'],
      [{ after: '17 images', type: CTRL_C }],
    );
    assert.match(output, /Stopping … Ctrl-C again ends it at once\.[\s\S]*import stopped after 17 images\./);
    assert.equal(code, 130);
  });

  it('is left to a command with its own answer, which comes after the line of progress', async () => {
    const { code, output } = await atTerminal(
      [process.execPath, MAIN, 'ownAnswer'],
      [{ after: 'loop demo', type: CTRL_C }],
    );
    assert.match(output, /The demo goes on where it stopped\.\r\n/);
    assert.equal(code, 0);
  });

  it('a second time ends a command at once that does not end by itself', async () => {
    const keys = ['at work', 'Stopping'].map((after) => ({ after, type: CTRL_C }));
    const { code, output } = await atTerminal([process.execPath, MAIN, 'stubborn'], keys);
    assert.match(output, /Ended at once\./);
    assert.equal(code, 130);
  });

  it('without a terminal does the same, and with --json leaves one object', async () => {
    const { code, stdout, stderr } = await piped(['counter', '--json'], 'import …', 'SIGINT');
    assert.equal(code, 130);
    assert.match(stderr, /import stopped after 17 images/);
    assert.equal(errorSchema.parse(JSON.parse(stdout)).error.code, 'interrupted');
  });

  it('has the same effect as SIGTERM, which ends with 143', async () => {
    const { code, stdout } = await piped(['counter', '--json'], 'import …', 'SIGTERM');
    assert.equal(code, 143);
    assert.equal(errorSchema.parse(JSON.parse(stdout)).error.exitCode, 143);
  });
});
