import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

const bodySchema = z.strictObject({
  text: z.string(),
  type: z.string(),
  timestamp: z.iso.datetime(),
  data: z.strictObject({
    loop: z.string(),
    iteration: z.number(),
    figures: z.record(z.string(), z.unknown()),
    report: z.object({ uri: z.string(), command: z.string() }).nullable(),
    temporal: z.string().nullable(),
  }),
});
type Body = z.infer<typeof bodySchema>;

/** How a receiver answers its nth request, from 0; it holds back what it is not told to answer. */
type Answer = (response: ServerResponse, nth: number) => void;

/** A real HTTP server that keeps what was posted, and checks it with the reference library of Standard Webhooks. */
export class Receiver {
  readonly requests: { headers: IncomingHttpHeaders; raw: string; path: string }[] = [];
  readonly #server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const nth = this.requests.length;
      const { headers, url: path = '' } = request;
      this.requests.push({ headers, raw: Buffer.concat(parts).toString(), path });
      this.answer(response, nth);
    });
  });

  answer: Answer = (response) => response.writeHead(204).end();

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    await new Promise<void>((done) => receiver.#server.listen(0, '127.0.0.1', done));
    return receiver;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/hook`;
  }

  get ids(): string[] {
    return this.requests.map(({ headers }) => String(headers['webhook-id']));
  }

  /** The bodies in the order in which they came. @throws if a signature is not that of the secret */
  get bodies(): Body[] {
    return this.requests.map(({ headers, raw }) => {
      const flat = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
      return bodySchema.parse(new Webhook(SECRET).verify(raw, flat));
    });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }
}
