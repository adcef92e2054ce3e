import sharp from 'sharp';

/**
 * Difference hash: 64 bits, each whether a pixel of the upright 9×8 greyscale picture is brighter than its right neighbour
 * (N. Krawetz, "Kind of Like That", 2013). 16 hex digits. Finds copies, not views.
 */
export async function differenceHash(bytes: Buffer, maxPixels: number): Promise<string> {
  const pixels = await sharp(bytes, { limitInputPixels: maxPixels, failOn: 'error' })
    .autoOrient()
    .greyscale()
    .resize(9, 8, { fit: 'fill' })
    .raw()
    .toBuffer();
  let hash = 0n;
  for (let y = 0; y < 8; y++) {
    for (let x = 0; x < 8; x++)
      hash = (hash << 1n) | ((pixels[y * 9 + x] as number) > (pixels[y * 9 + x + 1] as number) ? 1n : 0n);
  }
  return hash.toString(16).padStart(16, '0');
}
