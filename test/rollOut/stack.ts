import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import { homePaths } from '../../infra/home.js';
import { signalProcess } from '../../infra/processes/processes.js';
import { LOCAL_NAMESPACE } from '../../infra/services/temporalServer.js';
import { readState } from '../../infra/stack/state.js';
import { readLoopState } from '../../storage/loopState.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readScanRecord } from '../../storage/scans.js';
import type { Role } from '../../workers/roles.js';
import { storeOfHome } from '../chaos/home.js';
import { descendant } from '../chaos/processes.js';
import { type CliAnswer, partloop, partloopJson } from '../support/cli.js';
import type { Build } from './builds.js';

const LOOK_MS = 200;
/** Each wait takes a minute at most on a quiet machine, and ten times that on a busy one. */
const LONGEST_WAIT_MS = 10 * 60_000;

const lineSchema = z.looseObject({
  time: z.number(),
  msg: z.string(),
  workflow: z.string().optional(),
  step: z.string().optional(),
});
type Line = z.infer<typeof lineSchema>;

/** The iteration at which a training was stopped, or from which it went on. */
export interface Trained {
  time: number;
  iteration: number;
  /** Iterations of the whole training. */
  of: number;
}

/** One home, whose stack is now of this build, now of that. */
export class RolledStack {
  #isGivenUp = false;

  constructor(readonly home: string) {}

  /** Nothing is waited for any more, and the stack is stopped. */
  async end(build: Build): Promise<void> {
    this.#isGivenUp = true;
    await this.command(build, ['down']);
  }

  command({ root }: Build, args: readonly string[]): Promise<CliAnswer> {
    return partloop(this.home, args, { root });
  }

  json({ root }: Build, args: readonly string[]): Promise<unknown> {
    return partloopJson(this.home, args, { root });
  }

  store(): Promise<ObjectStore> {
    return storeOfHome(this.home);
  }

  async withClient<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const connection = await Connection.connect({ address: `127.0.0.1:${readState(this.home)?.ports.temporal}` });
    try {
      return await work(new Client({ connection, namespace: LOCAL_NAMESPACE }));
    } finally {
      await connection.close();
    }
  }

  /** The log of a worker, in order. */
  async log(role: Role): Promise<Line[]> {
    const text = await readFile(join(homePaths(this.home).logs, `worker-${role}.log`), 'utf8').catch(() => '');
    return text.split('\n').flatMap((line) => {
      if (!line.startsWith('{') || !line.endsWith('}')) return [];
      const parsed = lineSchema.safeParse(JSON.parse(line));
      return parsed.success ? [parsed.data] : [];
    });
  }

  /** Iterations that the trainer of a workflow said it had done, in order. */
  trained(workflow: string): Promise<Trained[]> {
    return this.#said(workflow, /iteration (\d+)\/(\d+) /);
  }

  /** The iteration from which each start of a workflow's trainer went on. */
  begun(workflow: string): Promise<Trained[]> {
    return this.#said(workflow, /iterations (\d+) → (\d+)/);
  }

  async #said(workflow: string, what: RegExp): Promise<Trained[]> {
    return (await this.#lines(workflow)).flatMap(({ time, msg }) => {
      const [found, iteration, of] = what.exec(msg) ?? [];
      return found === undefined ? [] : [{ time, iteration: Number(iteration), of: Number(of) }];
    });
  }

  async #lines(workflow: string): Promise<Line[]> {
    return (await this.log('train')).filter((line) => line.workflow === workflow && line.step === 'train');
  }

  /** Seconds from the signal to the end of each worker, for stops that were asked for since then. */
  async drained(roles: readonly Role[], since: number): Promise<number[]> {
    return Promise.all(
      roles.map(async (role) => {
        const lines = (await this.log(role)).filter(({ time }) => time >= since);
        const asked = lines.find(({ msg }) => msg.startsWith('asked to stop'));
        const ended = lines.find(({ msg }) => msg === 'workers have ended');
        if (asked === undefined || ended === undefined) throw new Error(`worker-${role} did not end in order`);
        return (ended.time - asked.time) / 1_000;
      }),
    );
  }

  /** Until a training starts: its trainer then loads for some seconds. */
  untilTraining(workflow: string): Promise<void> {
    return this.until(async () => (await this.#lines(workflow)).some(({ msg }) => msg === 'training'));
  }

  /** Until the trainer of a workflow has done this many iterations; it must have some left. */
  untilTrained(workflow: string, iterations: number): Promise<void> {
    return this.until(async () => {
      const { iteration, of } = (await this.trained(workflow)).at(-1) ?? { iteration: 0, of: null };
      if (iteration === of) throw new Error(`the training of ${workflow} is over already`);
      return iteration >= iterations;
    });
  }

  /**
   * The trainer at work stands still until the answer is called: however long that takes, the training is not over by
   * then.
   */
  async holdTrainer(): Promise<() => void> {
    const worker = readState(this.home)?.processes['worker-train']?.process?.pid ?? 0;
    const trainer = await descendant(worker, /partloop_trainer/);
    if (trainer === null || !signalProcess(trainer, 'SIGSTOP')) throw new Error('no trainer is at work');
    return () => void signalProcess(trainer, 'SIGCONT');
  }

  /** Until a worker has been asked to stop, since then. */
  untilAskedToStop(role: Role, since: number): Promise<void> {
    return this.until(async () =>
      (await this.log(role)).some(({ time, msg }) => time >= since && msg.startsWith('asked to stop')),
    );
  }

  /** Until an iteration of a loop is recorded as finished; one that failed is an error. */
  untilFinished(loop: string, iteration: number): Promise<void> {
    return this.until(async () => {
      const { iterations } = await readLoopState(await this.store(), loop);
      const current = iterations.find((one) => one.iteration === iteration)?.current;
      if (current?.status === 'failed') throw new Error(`iteration ${iteration} failed: ${current.error}`);
      return current?.status === 'finished';
    });
  }

  /** Until a standalone scan is recorded. */
  untilScanned(scan: string): Promise<void> {
    return this.until(async () => (await readScanRecord(await this.store(), scan)) !== null);
  }

  async until(done: () => Promise<boolean>): Promise<void> {
    for (const deadline = Date.now() + LONGEST_WAIT_MS; !(await done()); await sleep(LOOK_MS))
      if (this.#isGivenUp || Date.now() > deadline)
        throw new Error(`waited in vain; logs are in ${homePaths(this.home).logs}`);
  }
}
