import { Context } from '@temporalio/activity';
import type { Progress } from '../../../domain/progress.js';

/** A gate at which a step of `fakeActivities` waits. */
export interface StepGate {
  /** The step has begun, and waits. */
  atStep: Promise<void>;
  /** Let it go on. */
  open(): void;
  /** For `fakeActivities({ until })`. */
  until(name: string): Promise<void>;
}

/** A step that goes on when it is told to; cancelled, it ends as the real ones do. Until then it says `progress`. */
export function stepGate(held: string, progress?: Progress): StepGate {
  let open = (): void => undefined;
  let begun = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const atStep = new Promise<void>((resolve) => {
    begun = resolve;
  });
  return {
    atStep,
    open: () => open(),
    async until(name) {
      if (name !== held) return;
      begun();
      const beats = setInterval(() => Context.current().heartbeat(progress), 50);
      try {
        await Promise.race([opened, Context.current().cancelled]);
      } finally {
        clearInterval(beats);
      }
    },
  };
}
