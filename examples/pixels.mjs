// A picture's pixels as the hashes want them: as it is shown, small, on white. Use your own decoder if you have one.
import sharp from 'sharp'

const SIDE = 600
const MOST_PIXELS = 50_000_000

/** @throws when the bytes are no picture that can be opened. */
export async function pixelsOf(bytes) {
  const { data, info } = await sharp(bytes, { limitInputPixels: MOST_PIXELS, failOn: 'error' })
    .rotate()
    .resize({ width: SIDE, height: SIDE, fit: 'inside', withoutEnlargement: true })
    .flatten({ background: '#fff' })
    .toColourspace('srgb')
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, channels: 4, data: new Uint8Array(data) }
}
