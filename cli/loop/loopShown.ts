import type { Client } from '@temporalio/client';
import { PartloopError } from '../../domain/base/errors.js';
import { newImagesText, proposalText } from '../../domain/loop/details.js';
import { iterationColumns } from '../../domain/loop/iterationColumns.js';
import { nextStep } from '../../domain/loop/status.js';
import type { LoopStatus } from '../../domain/messages.js';
import { loopStatusOrRecord, type ShownLoop } from '../../steering/loopClient.js';
import { type LoopTroubles, troubleTexts } from '../../steering/loopTroubles.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { printTable, say, sayText } from '../terminal/output.js';

/** A loop without a known status, with the reason: its record is damaged, or no worker answers. */
export interface UnreadableLoop {
  loop: string;
  error: PartloopError;
}

/** The status of each loop; an unknown one does not hide the others. */
export async function statusesOf(
  client: Client,
  store: ObjectStore,
  names: readonly string[],
): Promise<{ statuses: ShownLoop[]; unreadable: UnreadableLoop[] }> {
  const found = await Promise.all(
    names.map(async (loop): Promise<ShownLoop | UnreadableLoop> => {
      try {
        return await loopStatusOrRecord(client, store, loop);
      } catch (error) {
        if (error instanceof PartloopError) return { loop, error };
        throw error;
      }
    }),
  );
  return {
    statuses: found.filter((one): one is ShownLoop => 'phase' in one),
    unreadable: found.filter((one): one is UnreadableLoop => !('phase' in one)),
  };
}

/** The same for programs. */
export const unreadableJson = ({ loop, error: { code, message, hint } }: UnreadableLoop) => ({
  ...{ loop, code, message },
  hint: hint ?? null,
});

/** A loop with the reasons why it may stall. */
export function printTroubled(status: ShownLoop & LoopTroubles): void {
  const { retrying, paused, unattended, ...plain } = status;
  printStatus(plain);
  say(...troubleTexts({ retrying, paused, unattended }));
}

/** A loop: its status, its failure with a remedy, and its newest iterations. */
export function printStatus(status: LoopStatus & Partial<Pick<ShownLoop, 'step'>>): void {
  const step = status.step == null ? '' : ` (${status.step})`;
  const iteration = status.iteration === null ? '' : `, iteration ${status.iteration}${step}`;
  say(`loop ${status.loop}: ${status.phase}${iteration}, ${status.remaining} to go`);
  if (status.newImages != null) say(newImagesText(status.newImages));
  if (status.error !== null) {
    sayText(`last error: ${status.error}`);
    const advice = nextStep(status);
    if (advice !== null) say(advice);
  }
  if (status.phase === 'stopped' && status.iteration !== null) {
    say(
      `Its iteration ${status.iteration} runs without it: \`partloop loop start ${status.loop}\` joins it as its first iteration,`,
      `\`partloop loop stop ${status.loop} --now\` ends it.`,
    );
  }
  if (status.proposal !== null) say(proposalText(status.loop, status.proposal));
  printTable(status.rows.map(iterationColumns));
}

/** A loop whose record cannot be read, beside those that can. */
export function printUnreadable({ loop, error: { message, hint } }: UnreadableLoop): void {
  sayText(`loop ${loop}: ${hint === undefined ? message : `${message}\n${hint}`}`);
}
