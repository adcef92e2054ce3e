import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { PartloopError } from '../../domain/base/errors.js';
import { LONGEST_TIMER_MS, Watchdog } from '../../inference/watchdog.js';

const never = (): Promise<never> => new Promise(() => undefined);
const isStalled = (pattern: RegExp) => (error: unknown) =>
  error instanceof PartloopError && error.code === 'inference-stalled' && pattern.test(error.message);

describe('the watchdog over native code', () => {
  it('fails a call that gives no answer, by name, and informs the code that ends the process', async () => {
    const said: string[] = [];
    const watchdog = new Watchdog(50, (error) => said.push(error.message));
    await assert.rejects(
      watchdog.guard('net.onnx gave no answer for car.png', never()),
      isStalled(/^net\.onnx gave no answer for car\.png within/),
    );
    assert.equal(said.length, 1);
  });

  it('passes on timely results, errors included, and allows 20 times the slowest', async () => {
    const watchdog = new Watchdog(1_000);
    assert.equal(await watchdog.guard('a', Promise.resolve(7)), 7);
    await assert.rejects(watchdog.guard('b', Promise.reject(new Error('its own'))), /its own/);
    await watchdog.guard('c', sleep(100));
    assert.equal(await watchdog.guard('d', sleep(1_500, 'late')), 'late');
  });

  it('allows no more time after rare calls, and waits at most as long as timers can', async () => {
    const watchdog = new Watchdog(1_000);
    await watchdog.guard('load', sleep(400), { rare: true });
    // 20 times the load would be 8 s; a busy machine may be late with the one second.
    await assert.rejects(watchdog.guard('e', never()), isStalled(/^e within [1-5] s$/));
    assert.equal(await new Watchdog(LONGEST_TIMER_MS + 1_000).guard('f', sleep(5, 'fine')), 'fine');
  });
});
