import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../../domain/base/random.js';
import { ChaosHome } from './chaosHome.js';
import type { Fault, World } from './faults/fault.js';
import { Injector } from './injector.js';
import { Account, AccountError } from './outcome/account.js';
import { Journal } from './outcome/journal.js';

describe('the fault injector', () => {
  let folder: string;
  let world: World;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'injector-'));
    const random = seededRandom('injector');
    world = {
      ...{ home: await ChaosHome.make(join(folder, 'home'), random, false), loop: 'none', iterations: 1 },
      ...{ account: new Account(), journal: new Journal(join(folder, 'journal.jsonl'), () => {}), random },
      signal: new AbortController().signal,
      inTurn: (work) => work(),
    };
  });

  after(async () => {
    await world.home.remove();
    await rm(folder, { recursive: true, force: true });
  });

  it('waits for current faults before it lets anybody repair something, and records each with its time', async () => {
    const events: string[] = [];
    let end = (): void => {};
    const fault: Fault = {
      kind: 'sigstop',
      target: 's3',
      inject: () =>
        new Promise((done) => {
          end = () => {
            events.push('over');
            done('for a while');
          };
        }),
    };
    const injector = new Injector(world, [fault]);
    const injected = injector.inject(fault);
    // Until it has asked which step is under way, which no server tells here.
    for (const end = Date.now() + 5_000; Date.now() < end && injector.isCalm; ) await new Promise(setImmediate);
    const calm = injector.calm(async () => events.push('mended'));
    end();
    await Promise.all([injected, calm]);
    assert.deepEqual(events, ['over', 'mended']);
    assert.deepEqual(injector.injected, [{ kind: 'sigstop', target: 's3', did: 'for a while' }]);
    const lines = (await readFile(world.journal.path, 'utf8')).trim().split('\n');
    assert.deepEqual(
      lines.map((line) => /"event":"([^"]+)"/.exec(line)?.[1]),
      ['fault', 'fault over'],
    );
    assert.ok(lines.every((line) => /"time":"20/.test(line)));
  });

  it('does not count a fault that could not be injected, but fails on a wrong answer to a start', async () => {
    const failing = (kind: Fault['kind'], error: Error): Fault => ({
      kind,
      target: 'loop',
      inject: () => Promise.reject(error),
    });
    const injector = new Injector(world, []);
    await injector.inject(failing('reset', new Error('the server is away')));
    assert.deepEqual(injector.injected, [{ kind: 'reset', target: 'loop', did: null }]);
    await assert.rejects(
      injector.inject(failing('start', new AccountError('promises iteration 4'))),
      /promises iteration 4/,
    );
  });
});
