// Pictures that our own decoders read because this browser cannot: HEIC and JPEG XL. Each decoder is a worker of its own, loaded when the browser
// first failed to open such a file.

import type { Pixels } from '../../packages/hash/src/pixels.js'
import { inSrgb } from './in-srgb.js'
import type { ColourSpace } from './png.js'
import type { Background, RowsAt, Sides, Source } from './source.js'

/** A picture turned as it is shown. Rows from top to bottom, without padding. */
export interface RawPicture extends Sides {
  readonly data: Uint8Array | Uint8ClampedArray
  /** Red, green, blue; and alpha, by which the colours are not multiplied. */
  readonly channels: 3 | 4
  /** `undefined` for sRGB. */
  readonly space: ColourSpace | undefined
}

/** @returns the picture as a source. Its `close` does not overwrite `data`: the decoder does. */
export function rawSource({ data, width, height, channels, space }: RawPicture): Source {
  const source = { width, height, hasAlpha: channels === 4, read, close: () => {} }
  return space === undefined ? source : { ...source, inSrgb: (pixels: Pixels) => inSrgb(pixels, space) }

  function read<T>(_stripRows: number, background: Background | undefined, use: (rowsAt: RowsAt) => T): T {
    return use((top, count) => {
      const rows = new Uint8ClampedArray(4 * width * count)
      const part = data.subarray(channels * width * top, channels * width * (top + count))
      if (channels === 4) rows.set(part)
      else widen(part, rows)
      if (channels === 4 && background !== undefined) flatten(rows, background === 'black' ? 0 : 255)
      return rows
    })
  }
}

function widen(rgb: Uint8Array | Uint8ClampedArray, rgba: Uint8ClampedArray): void {
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    rgba[to] = rgb[from] ?? 0
    rgba[to + 1] = rgb[from + 1] ?? 0
    rgba[to + 2] = rgb[from + 2] ?? 0
    rgba[to + 3] = 255
  }
}

function flatten(rgba: Uint8ClampedArray, level: number): void {
  for (let pixel = 0; pixel < rgba.length; pixel += 4) {
    const alpha = rgba[pixel + 3] ?? 255
    if (alpha === 255) continue
    for (let at = pixel; at < pixel + 3; at++) rgba[at] = ((rgba[at] ?? 0) * alpha + level * (255 - alpha)) / 255
    rgba[pixel + 3] = 255
  }
}
