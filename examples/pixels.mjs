// A picture's pixels as the hashes want them: as it is shown, on white; up to 1.5 megapixels as many as it has, and beyond so many as the service's own
// workers take. Another size, or another filter, costs up to 14 of the 256 bits.

import { hashedSize } from '@tabir/hash'
import sharp from 'sharp'

const MAX_PIXELS = 50_000_000

/** @throws when the bytes are no picture that can be opened. `aspect` goes to `matchPixels` or `hashImage` with the pixels. */
export async function pixelsOf(bytes) {
  const limits = { limitInputPixels: MAX_PIXELS, failOn: 'error', pages: 1 }
  const { width, height } = (await sharp(bytes, limits).metadata()).autoOrient
  const size = hashedSize({ width, height })
  const picture = sharp(bytes, { ...limits, autoOrient: true })
  if (size.width !== width || size.height !== height) picture.resize({ ...size, fit: 'fill', kernel: 'linear' })
  const { data, info } = await picture
    .flatten({ background: '#fff' })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  const pixels = { width: info.width, height: info.height, channels: info.channels, data: new Uint8Array(data) }
  return { pixels, aspect: width / height }
}
