// Draws run-length encoded BMP pixels. Each byte of the file is read once, and a run never goes beyond its row.

import type { BmpLayout } from './bmp-header.js'

const END_OF_ROW = 0
const END_OF_PICTURE = 1
const JUMP = 2

interface Coding {
  /** Bytes of the pixel that a run repeats. */
  readonly runBytes: number
  /** Bytes of a sequence of `count` pixels that are not repeated. */
  readonly bytesFor: (count: number) => number
  /** Draws pixel `k` of a run or of a sequence whose bytes start at `at`, to `to` in the output. */
  readonly put: (at: number, k: number, to: number, isRun: boolean) => void
}

/** Draws RLE8 and RLE4. @returns how many rows the file has, including those whose ends it skips. */
export function drawRuns(bytes: Buffer, layout: BmpLayout, pixels: Buffer): number {
  const { bits, palette } = layout
  const isHalf = bits === 4
  const indexAt = (at: number, k: number, isRun: boolean) => {
    if (!isHalf) return bytes[isRun ? at : at + k] ?? 0
    const byte = bytes[isRun ? at : at + (k >> 1)] ?? 0 // a run alternates between the two indexes of its byte
    return k % 2 === 0 ? byte >> 4 : byte & 15
  }
  return runs(bytes, layout, {
    runBytes: 1,
    bytesFor: (count) => (isHalf ? (count + 1) >> 1 : count),
    put: (at, k, to, isRun) => {
      const index = 3 * indexAt(at, k, isRun)
      for (let channel = 0; channel < 3; channel++) pixels[to + channel] = palette[index + channel] ?? 0
    },
  })
}

/** Draws RLE24 of OS/2: blue, green, red. @returns as `drawRuns`. */
export function drawRuns24(bytes: Buffer, layout: BmpLayout, pixels: Buffer): number {
  return runs(bytes, layout, {
    runBytes: 3,
    bytesFor: (count) => 3 * count,
    put: (at, k, to, isRun) => {
      const from = isRun ? at : at + 3 * k
      for (let channel = 0; channel < 3; channel++) pixels[to + channel] = bytes[from + 2 - channel] ?? 0
    },
  })
}

function runs(bytes: Buffer, { width, height, isTopDown, pixelsAt }: BmpLayout, coding: Coding): number {
  let x = 0
  let y = 0
  const draw = (at: number, count: number, isRun: boolean) => {
    const rowAt = 3 * width * (isTopDown ? y : height - 1 - y)
    const drawn = Math.min(count, width - x)
    for (let k = 0; k < drawn; k++) coding.put(at, k, rowAt + 3 * (x + k), isRun)
    x += count
  }
  for (let at = pixelsAt; y < height; ) {
    const count = bytes[at]
    const code = bytes[at + 1]
    if (count === undefined || code === undefined) return x >= width ? y + 1 : y
    if (count > 0) {
      draw(at + 1, count, true)
      at += 1 + coding.runBytes
    } else if (code === END_OF_ROW || code === JUMP) {
      x = code === JUMP ? x + (bytes[at + 2] ?? 0) : 0
      y += code === JUMP ? (bytes[at + 3] ?? 0) : 1
      at += code === JUMP ? 4 : 2
    } else if (code === END_OF_PICTURE) {
      return height
    } else {
      const length = coding.bytesFor(code)
      draw(at + 2, code, false)
      at += 2 + length + (length % 2)
    }
  }
  return height
}
