import { openSessions } from '../../inference/sessions/sessions.js';
import { TAXONOMY } from '../support/pictures/pictures.js';

/**
 * Judges without end with the model named on the command line; a signal closes the sessions and then ends the process.
 */
const [, , modelPath = ''] = process.argv;
const sessions = await openSessions(2, { modelPath, name: modelPath, threads: 1, taxonomy: TAXONOMY });
const rgb = new Uint8Array(sessions.size * sessions.size * 3);
let closing = false;

async function judge(): Promise<void> {
  while (!closing) await sessions.look({ rgb, width: sessions.size, height: sessions.size }, 'black.png');
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    closing = true;
    void sessions.close().then(() => process.exit(0));
  });
}
for (let lane = 0; lane < 4; lane++) {
  judge().catch((error: unknown) => {
    if (!closing) throw error;
  });
}
process.stdout.write('judging\n');
