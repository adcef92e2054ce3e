import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { check } from '../../domain/base/checked.js';
import { oneLine } from '../../domain/base/oneLine.js';
import type { MlflowAddress } from './address.js';

const ATTEMPTS = 3;
const FIRST_WAIT_MS = 500;
const REQUEST_MS = 10_000;
const MAX_ANSWER_BYTES = 4 * 2 ** 20;
const MESSAGE_LETTERS = 300;

const failureSchema = z.looseObject({ error_code: z.string(), message: z.string().catch('') });

/** What a server of MLflow answered instead of what was asked for, or that it did not answer. */
export class MlflowError extends Error {
  constructor(
    message: string,
    /** MLflow's own code, such as `RESOURCE_DOES_NOT_EXIST`; null for a fault on the way. */
    readonly code: string | null,
  ) {
    super(message);
    this.name = 'MlflowError';
  }
}

/**
 * MLflow's REST API 2.0. Faults that pass (no answer, 429, 5xx) are tried three times, all within `signal`; answers are
 * checked.
 */
export class MlflowApi {
  constructor(
    private readonly address: MlflowAddress,
    private readonly signal: AbortSignal,
  ) {}

  /** @throws MlflowError */
  get<T extends z.ZodType>(path: string, query: Readonly<Record<string, string>>, schema: T): Promise<z.output<T>> {
    return this.#ask(`${path}?${new URLSearchParams(query)}`, { method: 'GET' }, schema);
  }

  /** @throws MlflowError */
  post<T extends z.ZodType>(path: string, body: object, schema: T): Promise<z.output<T>> {
    return this.#ask(path, { method: 'POST', body: JSON.stringify(body) }, schema);
  }

  async #ask<T extends z.ZodType>(path: string, request: RequestInit, schema: T): Promise<z.output<T>> {
    const named = `${this.address.uri} (${path.replace(/\?.*$/s, '')})`;
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#send(path, request).catch((error: unknown) => reasonOf(error));
      if (typeof answer !== 'string' && answer.status < 500 && answer.status !== 429)
        return parsed(answer, named, schema);
      const what = typeof answer === 'string' ? answer : `status ${answer.status}: ${answer.text}`;
      if (attempt === ATTEMPTS || this.signal.aborted)
        throw new MlflowError(`${named}: ${oneLine(what).slice(0, MESSAGE_LETTERS)}`, null);
      await wait(FIRST_WAIT_MS * 2 ** (attempt - 1), undefined, { signal: this.signal }).catch(() => undefined);
    }
  }

  async #send(path: string, request: RequestInit): Promise<{ status: number; text: string }> {
    const { uri, authorization } = this.address;
    const response = await fetch(`${uri}/api/2.0/mlflow/${path}`, {
      ...request,
      headers: { 'content-type': 'application/json', ...(authorization === null ? {} : { authorization }) },
      // Another server is not the one that was named.
      redirect: 'error',
      signal: AbortSignal.any([this.signal, AbortSignal.timeout(REQUEST_MS)]),
    });
    return { status: response.status, text: await boundedText(response) };
  }
}

async function boundedText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`its answer has more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed<T extends z.ZodType>(
  { status, text }: { status: number; text: string },
  named: string,
  schema: T,
): z.output<T> {
  const json = jsonOf(text);
  if (status >= 200 && status < 300) {
    const { data, problem } = check(schema, json);
    if (problem === null) return data;
    throw new MlflowError(`${named}: its answer is not one of MLflow: ${problem}`, null);
  }
  const failure = failureSchema.safeParse(json);
  const said = failure.success ? `${failure.data.error_code}: ${failure.data.message}` : text;
  const code = failure.success ? failure.data.error_code : null;
  throw new MlflowError(`${named}: status ${status}, ${oneLine(said).slice(0, MESSAGE_LETTERS)}`, code);
}

function jsonOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return null;
  }
}

/** Node says `fetch failed`, and why in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'no answer in time';
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
