import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';

/** Ports that people use, with the expected number, used if it is free. */
export const USUAL_PORTS = { temporal: 7233, temporalUi: 8233, s3: 8333, board: 8236 } as const;

const port = z.number().int().min(1).max(65_535);

/**
 * Every port of the local stack. Those without a usual number are drawn: only the stack itself and its state file know
 * them, and stacks that start at the same time, or in containers that share a temporary folder for SeaweedFS' sockets,
 * hardly ever choose the same.
 */
export const portsSchema = z.object({
  temporal: port,
  temporalUi: port,
  temporalHttp: port,
  temporalMetrics: port,
  s3: port,
  s3Grpc: port,
  master: port,
  masterGrpc: port,
  volume: port,
  volumeGrpc: port,
  filer: port,
  filerGrpc: port,
  admin: port,
  adminGrpc: port,
  /** The state of a stack of before the board lacks it. */
  board: port.default(USUAL_PORTS.board),
});
export type Ports = z.infer<typeof portsSchema>;
export type PortName = keyof Ports;
export const PORT_NAMES: readonly PortName[] = portsSchema.keyof().options;

/** Below the range of outgoing connections, so that a remembered port stays free. */
const SPARE_RANGE = { from: 20_000, to: 32_000 } as const;
const TRIES = 200;

/** Whether this machine would let a server listen there. */
export function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => done(true)));
  });
}

/** Whether something accepts connections there within `timeoutMs`. */
export function isListening(port: number, host = '127.0.0.1', timeoutMs = 1000): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ port, host });
    const end = (answer: boolean): void => {
      socket.destroy();
      done(answer);
    };
    socket.setTimeout(timeoutMs, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

/** Wait until something accepts connections there. */
export async function untilListening(port: number, signal: AbortSignal): Promise<void> {
  while (!(await isListening(port))) await sleep(50, undefined, { signal });
}

/** Remembered ports if they are still free, otherwise the usual ones, otherwise drawn ones. */
export async function choosePorts(remembered: Partial<Ports>): Promise<Ports> {
  const usual: Partial<Ports> = USUAL_PORTS;
  const taken = new Set<number>();
  const ports: Partial<Ports> = {};
  for (const name of PORT_NAMES) {
    const chosen = await choosePort(remembered[name] ?? usual[name] ?? sparePort(), taken);
    ports[name] = chosen;
    taken.add(chosen);
  }
  return portsSchema.parse(ports);
}

const sparePort = (): number => randomInt(SPARE_RANGE.from, SPARE_RANGE.to);

async function choosePort(wanted: number, taken: ReadonlySet<number>): Promise<number> {
  let port = wanted;
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    if (!taken.has(port) && (await isPortFree(port))) return port;
    port = sparePort();
  }
  throw new PartloopError('setup-incomplete', `no free port was found instead of ${wanted}`, {
    hint: `End programs that hold ports between ${SPARE_RANGE.from} and ${SPARE_RANGE.to}.`,
  });
}

export interface Address {
  host: string;
  port: number;
}

/**
 * A loopback address that nobody can guess (39 bits), for a server that only our own process may call. On Linux the
 * whole of 127.0.0.0/8 is this machine; elsewhere the host is 127.0.0.1 and only the port is drawn.
 */
export async function hiddenAddress(): Promise<Address> {
  const drawn = `127.${randomInt(1, 255)}.${randomInt(0, 256)}.${randomInt(1, 255)}`;
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const port = randomInt(1024, 65_536);
    for (const host of [drawn, '127.0.0.1']) if (await isPortFree(port, host)) return { host, port };
  }
  throw new PartloopError('setup-incomplete', 'no free port was found for the Web UI of Temporal');
}
