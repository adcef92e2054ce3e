import { createServer } from 'node:net';

/** `node listenMain.js ADDRESS PORT` in another network namespace: listens there and hands the server to its parent. */
const [address, port] = process.argv.slice(2);
const server = createServer();
server.listen(Number(port), address, () => process.send?.('listening', server));
