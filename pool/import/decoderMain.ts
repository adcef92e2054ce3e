import { serveParent } from '../../storage/pictures/helperProcess.js';
import { DECODE_HERE, type DecodeReply, type DecodeRequest } from './decoder.js';

/** A process that decodes for an import that a picture must not crash (`withDecoderApart`). */
serveParent<DecodeRequest, DecodeReply>((request) =>
  'picture' in request
    ? DECODE_HERE.picture(Buffer.from(request.picture), '')
    : DECODE_HERE.label(request.label, request.name),
);
