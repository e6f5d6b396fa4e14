// Makes the area around a GIF's first frame white: viewers show nothing there, and libvips gives black.

import type { DecodedPicture } from '../decoded-picture.js'

const HEADER_BYTES = 13
const EXTENSION = 0x21
const IMAGE = 0x2c
const WHITE = 255

interface Rectangle {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

/** @returns where the first frame is, in fractions of the canvas; `undefined` if it covers all of it, or the file ends before. */
export function firstFrameOf(gif: Buffer): Rectangle | undefined {
  if (gif.length < HEADER_BYTES) return undefined
  let at = HEADER_BYTES + ((gif.readUInt8(10) & 0x80) === 0 ? 0 : 3 * 2 ** ((gif.readUInt8(10) & 0x07) + 1))
  while (gif[at] === EXTENSION) {
    at += 2
    while (at < gif.length && gif[at] !== 0) at += 1 + (gif[at] ?? 0)
    at++
  }
  if (gif[at] !== IMAGE || at + 9 > gif.length) return undefined
  const [left, top, width, height] = [1, 3, 5, 7].map((offset) => gif.readUInt16LE(at + offset)) as [
    number,
    number,
    number,
    number,
  ]
  const [canvasWidth, canvasHeight] = [gif.readUInt16LE(6), gif.readUInt16LE(8)]
  if (canvasWidth === 0 || canvasHeight === 0) return undefined
  if (left === 0 && top === 0 && width >= canvasWidth && height >= canvasHeight) return undefined
  return {
    left: left / canvasWidth,
    top: top / canvasHeight,
    right: (left + width) / canvasWidth,
    bottom: (top + height) / canvasHeight,
  }
}

/** @returns a copy that is white outside of the frame. */
export function onWhite({ data, width, height, ...rest }: DecodedPicture, frame: Rectangle): DecodedPicture {
  const white = Buffer.alloc(data.length, WHITE)
  const [fromX, toX] = [frame.left, frame.right].map((share) => Math.min(width, Math.round(share * width))) as [
    number,
    number,
  ]
  const [fromY, toY] = [Math.round(frame.top * height), Math.min(height, Math.round(frame.bottom * height))]
  for (let y = fromY; y < toY; y++) {
    const row = 3 * width * y
    data.copy(white, row + 3 * fromX, row + 3 * fromX, row + 3 * toX)
  }
  return { ...rest, data: white, width, height }
}
