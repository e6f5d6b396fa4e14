// A picture's pixels as the hashes want them: as it is shown, on white; up to 1.5 megapixels as many as it has, and beyond so many as the service's own
// workers take. Another size, or another filter, costs up to 14 of the 256 bits.

import { hashedSize } from '@tabir/hash'
import sharp from 'sharp'

const MAX_PIXELS = 50_000_000

/** @throws when the bytes are no picture that can be opened. `aspect` goes to `matchPixels` or `hashImage` with the pixels. */
export async function pixelsOf(bytes) {
  const limits = { limitInputPixels: MAX_PIXELS, failOn: 'error', pages: 1 }
  const { autoOrient, hasAlpha } = await sharp(bytes, limits).metadata()
  const { width, height } = autoOrient
  const size = hashedSize({ width, height })
  const picture = sharp(bytes, { ...limits, autoOrient: true })
  if (size.width !== width || size.height !== height) picture.resize({ ...size, fit: 'fill', kernel: 'linear' })
  const { data, info } = await picture.toColourspace('srgb').raw().toBuffer({ resolveWithObject: true })
  const shown = hasAlpha ? onWhite(data) : new Uint8Array(data)
  const pixels = { width: info.width, height: info.height, channels: hasAlpha ? 3 : info.channels, data: shown }
  return { pixels, aspect: width / height }
}

/** Rounds, as browsers and the service do; sharp's `flatten` cuts off. */
function onWhite(rgba) {
  return Uint8Array.from({ length: (rgba.length / 4) * 3 }, (_, i) => {
    const pixel = 4 * Math.floor(i / 3)
    const alpha = rgba[pixel + 3]
    return Math.floor((rgba[pixel + (i % 3)] * alpha + 255 * (255 - alpha) + 127.5) / 255)
  })
}
