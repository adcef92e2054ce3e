import { createHmac } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

/** Where messages go, and the key that signs them. Neither may be logged or travel through Temporal. */
export interface Webhook {
  url: string;
  /** Base64, with or without `whsec_`. */
  secret: string;
}

/** How patient a delivery is, in milliseconds. All tries with their pauses end within `budgetMs`. */
export interface Patience {
  budgetMs: number;
  /** One try, up to the head of the answer. */
  tryMs: number;
  /** The pause before the second try; each later one is twice as long. */
  pauseMs: number;
}

/** An activity of two minutes has room for it, and so has a worker that stops before it is forced to end. */
export const PATIENCE: Patience = { budgetMs: 20_000, tryMs: 8_000, pauseMs: 1_000 };

export interface Delivery {
  ok: boolean;
  tries: number;
  /** The last answer's status, or why there was none; never an address. */
  answer: string;
}

/** Busy and late servers may take the same message later; any other refusal is an answer. */
const TRY_AGAIN = new Set([408, 425, 429]);

/**
 * Headers of the Standard Webhooks (https://www.standardwebhooks.com): the signature is HMAC-SHA256 over id, time and
 * body.
 *
 * @param seconds the time of this try since 1970
 */
function signedHeaders({ secret }: Webhook, id: string, seconds: number, body: string): Record<string, string> {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
  return {
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': `v1,${signature}`,
  };
}

/**
 * Post a message until a server takes it, refuses it, or the patience ends. Redirects are not followed, and nothing of
 * an answer but its status is read. Never throws.
 */
export async function deliver(
  webhook: Webhook,
  { id, body }: { id: string; body: string },
  { budgetMs, tryMs, pauseMs }: Patience = PATIENCE,
): Promise<Delivery> {
  const end = performance.now() + budgetMs;
  const left = (): number => end - performance.now();
  for (let tries = 1, wait = pauseMs; ; tries++, wait *= 2) {
    const { status, answer } = await post(webhook, id, body, Math.max(1, Math.ceil(Math.min(tryMs, left()))));
    if (status !== null && status >= 200 && status < 300) return { ok: true, tries, answer };
    const isOver = status !== null && status < 500 && !TRY_AGAIN.has(status);
    if (isOver || left() <= wait) return { ok: false, tries, answer };
    await pause(wait);
  }
}

async function post(
  webhook: Webhook,
  id: string,
  body: string,
  limitMs: number,
): Promise<{ status: number | null; answer: string }> {
  try {
    const response = await fetch(webhook.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'partloop',
        ...signedHeaders(webhook, id, Math.floor(Date.now() / 1_000), body),
      },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(limitMs),
    });
    await response.body?.cancel().catch(() => undefined);
    return { status: response.status, answer: `status ${response.status}` };
  } catch (error) {
    return { status: null, answer: reasonOf(error) };
  }
}

/** Why there was no answer, in a word: messages of libraries name addresses. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'no answer in time';
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no connection';
  return /^[A-Z_]{1,40}$/.test(code) ? code : 'no connection';
}
