import { parseArgs } from 'node:util';
import { uiGate } from './uiGate.js';

/** `node dist/infra/ui/uiGateMain.js --port PORT --ui-host HOST --ui-port PORT`: the gate until it is told to end. */
const { values } = parseArgs({
  options: { port: { type: 'string' }, 'ui-host': { type: 'string' }, 'ui-port': { type: 'string' } },
});
const { port, 'ui-host': host, 'ui-port': uiPort } = values;
if (port === undefined || host === undefined || uiPort === undefined) throw new Error('the gate lacks an address');

const server = uiGate({ host, port: Number(uiPort) });
server.once('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
server.listen(Number(port), '127.0.0.1');
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));
