import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';

/** A step that, the first time, waits for its cancellation and is then ended by a fault that passes. */
export function faultAtCancel(held: string): { atStep: Promise<void>; until(name: string): Promise<void> } {
  let begun = (): void => undefined;
  let isFirst = true;
  const atStep = new Promise<void>((resolve) => {
    begun = resolve;
  });
  return {
    atStep,
    async until(name) {
      if (name !== held || !isFirst) return;
      isFirst = false;
      begun();
      const beats = setInterval(() => Context.current().heartbeat(), 50);
      await Context.current().cancelled.catch(() => clearInterval(beats));
      throw ApplicationFailure.retryable('the store did not answer', 'store-unavailable');
    },
  };
}
