import { once } from 'node:events';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { serveBoard } from '../../board/server/serve.js';
import { homePaths, partloopHome, ROOT } from '../../infra/home.js';
import { isListening } from '../../infra/services/ports.js';
import { findScan, isScanId } from '../../storage/scans.js';
import { connect, openEnvironmentStore } from '../environment.js';
import { wholeNumberBetween } from '../options.js';
import { ignoreInterrupts } from '../terminal/interrupt.js';
import { openInBrowser } from '../terminal/openInBrowser.js';
import { printJson, printLine, say } from '../terminal/output.js';

const PORT = 8236;
const MAX_PORT = 65_535;

interface BoardCommand {
  host: string;
  port: number;
  open: boolean;
  json?: true;
}

/** `partloop board`: the pages on which people review findings. */
export function register(program: Command): void {
  program
    .command('board')
    .description('Open the board: review findings and draw labels in the browser')
    .argument('[scan]', 'Open the findings of this scan: its name, a loop, or <loop>:<iteration>', scanId)
    .option(
      '--host <address>',
      'Listen on this address; beyond this machine only the printed link lets people in',
      host,
      '127.0.0.1',
    )
    .option('--port <number>', 'Listen on this port; 0 takes a free one', wholeNumberBetween(0, MAX_PORT), PORT)
    .option('--no-open', 'Open no browser')
    .option('--json', 'Print one JSON object with the address on stdout, and open no browser')
    .action(serve);
}

async function serve(scan: string | undefined, options: BoardCommand, command: Command): Promise<void> {
  const { host, port, open, json } = options;
  // The board of the stack is there already; another is for another address.
  const isUsual = ['host', 'port'].every((name) => command.getOptionValueSource(name) === 'default');
  const { env, store } = await openEnvironmentStore();
  const asked = scan === undefined ? null : (await findScan(store, scan)).id;
  const path = asked === null ? '/' : `/review/${encodeURIComponent(asked)}`;
  if (env.board !== null && isUsual && (await isListening(Number(new URL(env.board).port)))) {
    const url = `${env.board}${path}`;
    if (json) printJson({ url });
    else {
      printLine(url);
      if (open) openInBrowser(url);
    }
    return;
  }
  const board = await serveBoard({
    temporal: { connect: () => connect(env), uiUrl: env.temporal.uiUrl },
    ...{ store, host, port, dist: join(ROOT, 'dist'), cacheFolder: homePaths(partloopHome()).cache },
    onError: (error) => say(`the board has a fault: ${error instanceof Error ? error.message : error}`),
    onNote: (text) => say(text),
  });
  const url = board.urlOf(path);
  if (json) printJson({ url });
  else {
    printLine(url);
    say('Ctrl-C ends it; answers are handed in first.');
    if (open) openInBrowser(url);
  }
  // The usual answer to signals would end the process before answers are handed in.
  ignoreInterrupts();
  const ended = new AbortController();
  const end = (): void => ended.abort();
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  await once(ended.signal, 'abort');
  await board.close();
}

function scanId(text: string): string {
  if (isScanId(text)) return text;
  throw new InvalidArgumentError(
    'Give a scan (`partloop scan list`), a loop, or <loop>:<iteration>, of a–z, 0–9 and -.',
  );
}

function host(text: string): string {
  if (/^[A-Za-z0-9.:-]{1,253}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be an address or a name.');
}
