import { once } from 'node:events';
import { createServer } from 'node:net';

/** The first of so many ports in a row that are free now. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = await listenOnce(0);
    const others = Array.from({ length: count - 1 }, (_, by) => listenOnce((first ?? 0) + by + 1));
    if (first !== null && !(await Promise.all(others)).includes(null)) return first;
  }
}

/** The port if it could be listened at; null if it is taken. */
async function listenOnce(port: number): Promise<number | null> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    server.close();
    await once(server, 'close');
    return typeof address === 'object' && address !== null ? address.port : null;
  } catch {
    return null;
  }
}
