import type { Logger } from 'pino';
import type { Occasion } from '../../domain/notify/occasion.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { deliver, PATIENCE, type Patience, type Webhook } from './delivery.js';
import { type Links, messageOf } from './message.js';

/** Tells the webhook of occasions. Never throws: what cannot be told is a warning in the log. */
export type Notifier = (occasions: readonly Occasion[]) => Promise<void>;

interface NotifierParts extends Omit<Links, 'storeUri'> {
  webhook: Webhook;
  store: ObjectStore;
  log: Pick<Logger, 'info' | 'warn'>;
  patience?: Patience;
}

/**
 * Each occasion is told once: an object marks it after a server took it. Two workers that tell it at the same moment,
 * or one that ends before the mark, send it twice with the same id. All occasions of a call share one budget of time.
 */
export function notifier({ webhook, store, log, patience = PATIENCE, ...links }: NotifierParts): Notifier {
  const tell = async (occasion: Occasion, budgetMs: number): Promise<void> => {
    const { event, loop, iteration } = occasion;
    const message = messageOf(occasion, { ...links, storeUri: store.uri });
    const mark = keys.notification(loop, iteration, event, message.id);
    if ((await store.head(mark)) !== null) return;
    const { ok, tries, answer } = await deliver(webhook, message, { ...patience, budgetMs });
    const said = { event, loop, iteration, message: message.id, tries, answer };
    if (!ok) return log.warn(said, 'the webhook did not take a message; the work goes on');
    await store.putIfAbsent(mark, JSON.stringify({ event, sentAt: new Date().toISOString() }), 'application/json');
    log.info(said, 'the webhook took a message');
  };
  return async (occasions) => {
    const end = performance.now() + patience.budgetMs;
    for (const occasion of occasions) {
      const { event, loop, iteration } = occasion;
      try {
        await tell(occasion, end - performance.now());
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        log.warn({ event, loop, iteration, error: message }, 'whether a message was sent already cannot be read');
      }
    }
  };
}
