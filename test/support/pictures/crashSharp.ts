import sharp, { type Metadata } from 'sharp';

/**
 * Loaded before a process (`node --import`), it makes the picture library end or hang the process for pictures that ask
 * for it, as a fault of libvips would.
 */
export const CRASH_MARK = 'partloop test: end this process';
export const HANG_MARK = 'partloop test: hang this process';

/** A PNG picture that says so in its EXIF description. */
export async function markedPicture(mark: string | null, n: number, side = 64): Promise<Buffer> {
  const picture = sharp({
    create: { width: side, height: side, channels: 3, background: { r: n, g: 80, b: 120 } },
  }).png();
  return (mark === null ? picture : picture.withExif({ IFD0: { ImageDescription: mark } })).toBuffer();
}

/** Run `work` while every process that is started from this one has the faulty library. */
export async function withFaultyChildren<T>(work: () => Promise<T>): Promise<T> {
  const before = process.env.NODE_OPTIONS;
  process.env.NODE_OPTIONS = `${before ?? ''} --import ${import.meta.url}`.trim();
  try {
    return await work();
  } finally {
    if (before === undefined) delete process.env.NODE_OPTIONS;
    else process.env.NODE_OPTIONS = before;
  }
}

if (process.env.NODE_OPTIONS?.includes(import.meta.url) === true) {
  const metadata = sharp.prototype.metadata as () => Promise<Metadata>;
  Object.defineProperty(sharp.prototype, 'metadata', {
    value(this: { options?: { input?: { buffer?: Buffer } } }): Promise<Metadata> {
      const bytes = this.options?.input?.buffer;
      if (bytes?.includes(CRASH_MARK) === true) process.kill(process.pid, 'SIGSEGV');
      if (bytes?.includes(HANG_MARK) === true) for (;;);
      return metadata.call(this);
    },
  });
}
