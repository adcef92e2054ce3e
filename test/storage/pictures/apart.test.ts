import assert from 'node:assert/strict';
import { PartloopError } from '../../../domain/base/errors.js';
import type { DecodeReply, DecodeRequest } from '../../../pool/import/decoder.js';
import { Apart } from '../../../storage/pictures/apart.js';
import { ProcessEnded } from '../../../storage/pictures/helperProcess.js';
import { CRASH_MARK, HANG_MARK, markedPicture, withFaultyChildren } from '../../support/pictures/crashSharp.js';

const MAIN = new URL('../../../pool/import/decoderMain.js', import.meta.url);
/** Longer than a process needs to start and to decode one of these, on a busy machine too. */
const STALL_MS = 4_000;

describe('pictures that another process decodes', function () {
  this.timeout(120_000);

  /** The results of pictures that are in hand together: `read`, or the error. */
  async function outcomes(marks: readonly (string | null)[]): Promise<string[]> {
    const pictures = await Promise.all(marks.map((mark, n) => markedPicture(mark, n)));
    return withFaultyChildren(async () => {
      const apart = new Apart<DecodeRequest, DecodeReply>(MAIN, STALL_MS);
      try {
        return await Promise.all(
          pictures.map((picture, n) =>
            apart.ask({ picture }, `${n}.png`).then(
              ({ width, height }) => `read ${width}×${height}`,
              (error: unknown) => (error instanceof PartloopError ? `${error.code} ${error.message}` : String(error)),
            ),
          ),
        );
      } finally {
        await apart.close();
      }
    });
  }

  it('harm no others if one ends the process or hangs in it, and that one is named', async () => {
    const found = await outcomes([null, null, CRASH_MARK, null, HANG_MARK, null]);
    for (const n of [0, 1, 3, 5]) assert.equal(found[n], 'read 64×64');
    assert.equal(found[2], 'data-invalid 2.png ended the process that decoded it 3 times (SIGSEGV)');
    assert.match(
      found[4] ?? '',
      /^data-invalid 4\.png ended the process that decoded it 3 times \(no answer within \d+ s\)$/,
    );
  });

  it('are not to blame if each one ends it', async () => {
    const found = await outcomes([CRASH_MARK, CRASH_MARK, CRASH_MARK, CRASH_MARK]);
    assert.match(found.join('\n'), /setup-incomplete each of 3 pictures ended the process that decoded it \(SIGSEGV\)/);
  });

  it('are refused for their own faults, in the words of this process', async () => {
    const apart = new Apart<DecodeRequest, DecodeReply>(MAIN);
    try {
      await assert.rejects(
        apart.ask({ picture: Buffer.from('%PDF-1.4 of no use') }, 'a.png'),
        (error: unknown) =>
          error instanceof PartloopError &&
          error.message === 'it is not a readable picture: PDF is a document, not a photograph',
      );
    } finally {
      await apart.close();
    }
  });

  it('are not at fault if the work is aborted', async () => {
    const apart = new Apart<DecodeRequest, DecodeReply>(MAIN);
    const picture = await markedPicture(null, 1);
    const asked = apart.ask({ picture }, 'a.png');
    await Promise.all([assert.rejects(asked, ProcessEnded), apart.close()]);
    await assert.rejects(apart.ask({ picture }, 'a.png'), ProcessEnded);
  });
});
