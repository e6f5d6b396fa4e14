// Converts colours to sRGB. The browser does it: it is given a small picture that names its colour space.

import type { Pixels } from '../../packages/hash/src/pixels.js'
import { CANVAS_SETTINGS } from './drawn.js'
import { type ColourSpace, pngOf } from './png.js'

/**
 * Converts pixels that were reduced already, as the service's workers do.
 * @returns `pixels` where the browser does not know the colour space; otherwise new pixels, and `pixels` is overwritten.
 * @throws {RangeError} when there is no memory for a canvas.
 */
export async function inSrgb(pixels: Pixels, space: ColourSpace): Promise<Pixels> {
  const { width, height } = pixels
  const canvas = new OffscreenCanvas(width, height)
  const context = canvas.getContext('2d', { ...CANVAS_SETTINGS, alpha: false })
  if (context === null) throw new RangeError('there is no memory for a canvas')
  try {
    const shown = await createImageBitmap(await pngOf(pixels, space)).catch(() => undefined)
    if (shown === undefined) return pixels
    context.drawImage(shown, 0, 0)
    shown.close()
    const { data } = context.getImageData(0, 0, width, height)
    pixels.data.fill(0)
    return { data, width, height, channels: 4 }
  } finally {
    context.clearRect(0, 0, width, height)
    canvas.width = 0
  }
}
