import { type IncomingHttpHeaders, request } from 'node:http';

export interface WebAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** An HTTP request with exactly these headers: `fetch` would not let a test set `Host` or `Origin` as a page does. */
export function ask(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<WebAnswer> {
  return new Promise((done, failed) => {
    const asked = request({ host: '127.0.0.1', port, method, path, headers, timeout: 10_000 }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      answer.once('end', () => done({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }));
      answer.once('error', failed);
    });
    asked.once('error', failed);
    asked.once('timeout', () => asked.destroy(new Error(`port ${port} did not answer`)));
    asked.end(body);
  });
}

/** The token that Temporal's Web UI wants back with a write, as a page that can read its answers would find it. */
export function csrfToken({ headers }: WebAnswer): string {
  const found = (headers['set-cookie'] ?? []).join(' ').match(/_csrf=([0-9a-f]+)/)?.[1];
  if (found === undefined) throw new Error('no token was set');
  return found;
}
