import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import type { Server } from 'node:net';
import { promisify } from 'node:util';
import { type Host, HostNetwork, type NetworkName, serviceAddress } from './network.js';

const PORT = 4000;
/** Says its name and what it hears at an address, or that it hears nothing. */
const CLIENT = `
const [address, port] = process.argv.slice(1);
const say = (heard) => { process.stdout.write(require('node:os').hostname() + ': ' + heard); process.exit(); };
const socket = require('node:net').connect(Number(port), address);
socket.setTimeout(2000, () => say('silence'));
socket.on('data', (text) => say(text)).on('error', (error) => say(error.code));`;

describe('hosts on one machine', () => {
  let network: HostNetwork;
  let hosts: Host[];
  const servers: Server[] = [];

  before(async function () {
    const made = await HostNetwork.make();
    if (made === null) return this.skip();
    network = made;
    hosts = await Promise.all(['one', 'two'].map((name) => network.addHost(name)));
    for (const name of ['temporal', 'store'] as const) {
      const server = await network.listen(name, PORT);
      server.on('connection', (socket) => socket.on('error', () => undefined).end(name));
      servers.push(server);
    }
  });
  after(async () => {
    for (const server of servers) server.close();
    await network?.remove();
  });

  it('reach the services through networks of their own, except while they are cut off', async () => {
    const [one, two] = hosts as [Host, Host];
    assert.deepEqual(await heard(one), ['one: temporal', 'one: store']);
    await network.cutOff(one);
    assert.deepEqual(await heard(one), ['one: silence', 'one: silence']);
    assert.deepEqual(await heard(two), ['two: temporal', 'two: store']);
    await network.heal(one);
    assert.deepEqual(await heard(one), ['one: temporal', 'one: store']);
    await network.cutOff(one, ['store']);
    assert.deepEqual(await heard(one), ['one: temporal', 'one: silence']);
  });

  const heard = (host: Host): Promise<string[]> =>
    Promise.all((['temporal', 'store'] as const).map((name) => heardFrom(host, name)));

  async function heardFrom(host: Host, name: NetworkName): Promise<string> {
    const [program = '', ...args] = network.on(host, [
      process.execPath,
      '-e',
      CLIENT,
      serviceAddress(name),
      String(PORT),
    ]);
    return (await promisify(execFile)(program, args)).stdout;
  }
});
