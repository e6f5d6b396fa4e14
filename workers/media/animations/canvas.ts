// The canvas on which an animation is drawn: each frame is drawn on what the previous ones left, as viewers do it.

import type { FrameHeader } from '../../../src/domain/media/animations/animation.js'

/** Red, green, blue, alpha; not premultiplied. */
export interface Rgba {
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
}

export interface Canvas extends Rgba {
  /** Disposes of the previous frame as its header asks, then draws the next one. @param pixels of the frame's size. */
  draw(frame: FrameHeader, pixels: Rgba): void
  /** Overwrites all pixels. The canvas is transparent again. */
  clear(): void
}

const ALPHA_SHIFT = 24
const OPAQUE = 255

/** The caller calls `clear` when done. Memory: 4 bytes a pixel; 8 if a frame asks to restore what was there before it. */
export function createCanvas(width: number, height: number): Canvas {
  const pixels = new Uint32Array(width * height)
  const data = new Uint8Array(pixels.buffer)
  let saved: Uint32Array | undefined
  let last: FrameHeader | undefined

  const dispose = () => {
    if (last === undefined || last.disposal === 'keep') return
    eachRow(last, width, height, (from, to) => {
      if (last?.disposal === 'restore' && saved !== undefined) pixels.set(saved.subarray(from, to), from)
      else pixels.fill(0, from, to)
    })
  }
  return {
    data,
    width,
    height,
    draw(frame, { data: drawn, width: stride }) {
      dispose()
      last = frame
      if (frame.disposal === 'restore') {
        saved ??= new Uint32Array(pixels.length)
        const before = saved
        eachRow(frame, width, height, (from, to) => before.set(pixels.subarray(from, to), from))
      }
      const source = words(drawn)
      eachRow(frame, width, height, (from, to, column, row) => {
        const at = row * stride + column
        if (frame.isSource) pixels.set(source.subarray(at, at + to - from), from)
        else drawOver(pixels, from, source.subarray(at, at + to - from))
      })
    },
    clear() {
      pixels.fill(0)
      saved?.fill(0)
      last = undefined
    },
  }
}

function words(bytes: Uint8Array): Uint32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes)
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length >> 2)
}

/**
 * Calls `use` for each row of the frame that lies on the canvas.
 * @param use gets where the row begins and ends on the canvas, in pixels from its start; and column and row of its first pixel in the frame.
 */
function eachRow(
  { left, top, width, height }: FrameHeader,
  canvasWidth: number,
  canvasHeight: number,
  use: (from: number, to: number, column: number, row: number) => void,
): void {
  const [x, right] = [Math.max(0, left), Math.min(canvasWidth, left + width)]
  if (x >= right) return
  for (let y = Math.max(0, top); y < Math.min(canvasHeight, top + height); y++) {
    use(y * canvasWidth + x, y * canvasWidth + right, x - left, y - top)
  }
}

function drawOver(pixels: Uint32Array, at: number, row: Uint32Array): void {
  for (let k = 0; k < row.length; k++) {
    const pixel = row[k] ?? 0
    const alpha = pixel >>> ALPHA_SHIFT
    if (alpha === OPAQUE) pixels[at + k] = pixel
    else if (alpha > 0) pixels[at + k] = blended(pixel, alpha, pixels[at + k] ?? 0)
  }
}

function blended(over: number, alpha: number, under: number): number {
  const rest = ((under >>> ALPHA_SHIFT) * (OPAQUE - alpha)) / OPAQUE
  const total = alpha + rest
  let result = Math.round(total) << ALPHA_SHIFT
  for (let shift = 0; shift < ALPHA_SHIFT; shift += 8) {
    const mixed = (((over >>> shift) & 255) * alpha + ((under >>> shift) & 255) * rest) / total
    result |= Math.round(mixed) << shift
  }
  return result >>> 0
}

export function isOpaque(data: Uint8Array): boolean {
  for (let at = 3; at < data.length; at += 4) if (data[at] !== OPAQUE) return false
  return true
}
