import { PartloopError } from '../../domain/base/errors.js';
import { cropTopLeft } from '../../domain/geometry/resize.js';
import { serveParent } from '../../storage/pictures/helperProcess.js';
import { decodeForNetwork } from '../decode.js';
import { judgePicture, orNamed } from '../sessions/scanPipeline.js';
import { openSessions, type SessionPool } from '../sessions/sessions.js';
import { LONGEST_TIMER_MS, Watchdog } from '../watchdog.js';
import type { JudgeReply, JudgeRequest } from './judgeMessages.js';

/**
 * A process that judges pictures for its parent, which passes their bytes to it: if native code crashes it, the parent
 * survives. It opens only the model's file and has no credentials.
 */
let sessions: SessionPool | undefined;
/** Requests are processed one after the other. */
let queue: Promise<unknown> = Promise.resolve();

serveParent((request: JudgeRequest) => {
  const answer = queue.then(() => work(request));
  queue = answer.catch(() => undefined);
  return answer;
});

async function work(request: JudgeRequest): Promise<JudgeReply> {
  if (request.type === 'open') {
    // The parent has the watchdog, and ends this process.
    sessions = await openSessions(1, request.setup, new Watchdog(LONGEST_TIMER_MS));
    return { type: 'ready' };
  }
  if (sessions === undefined) throw new PartloopError('internal', 'a judge process was asked before it had a model');
  const opened = sessions;
  if (request.type === 'judge') {
    const { row: _, ...judged } = await orNamed(request.job.row, () => judgePicture(opened, request.job));
    return { type: 'judged', ...judged };
  }
  const { image, name } = request;
  const picture = await decodeForNetwork(image, opened.size, name);
  const { mask, surest } = await opened.look(picture, name);
  const { width, height } = picture;
  const pixels = cropTopLeft(mask, opened.size, width, height);
  if (request.type === 'predict') return { type: 'predicted', prediction: { pixels, width, height } };
  const seen = new Set(pixels);
  return { type: 'seen', sight: { classes: [...seen].sort((a, b) => a - b), surest } };
}
