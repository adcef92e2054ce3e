import { Apart } from '../../storage/pictures/apart.js';
import { decodeLabel, type LabelMask } from '../../storage/pictures/labelMask.js';
import { inspectPicture, type PictureFacts } from './picture.js';

/** Decodes pictures and masks of an import; `name` is for errors. */
export interface ImportDecoder {
  picture(bytes: Buffer, name: string): Promise<PictureFacts>;
  label(bytes: Uint8Array, name: string): Promise<LabelMask>;
}

/** Decodes in this process, which a picture may crash: for pictures of our own making. */
export const DECODE_HERE: ImportDecoder = { picture: (bytes) => inspectPicture(bytes), label: decodeLabel };

export type DecodeRequest = { picture: Uint8Array } | { label: Uint8Array; name: string };
export type DecodeReply = PictureFacts | LabelMask;

/**
 * Do `work` with a decoder in a separate process. A picture or mask that ends that process three times is refused by
 * name, and the import continues.
 */
export async function withDecoderApart<T>(work: (decoder: ImportDecoder) => Promise<T>): Promise<T> {
  const apart = new Apart<DecodeRequest, DecodeReply>(new URL('./decoderMain.js', import.meta.url));
  try {
    return await work({
      picture: async (picture, name) => (await apart.ask({ picture }, name)) as PictureFacts,
      label: async (label, name) => (await apart.ask({ label, name }, name)) as LabelMask,
    });
  } finally {
    await apart.close();
  }
}
