import type { Attended } from '../../training/trainingRun.js';

/** A request of a person, and a run that any recipe may train. */
export const attended = (generation = 'first request'): Attended => ({
  generation,
  turn: null,
  commands: { retry: '`partloop loop retry tiny`', anew: '`partloop iteration replay tiny 1 --from train`' },
  pin: { keep: async () => undefined },
});
