// Pictures that the browser decodes: drawn on a canvas strip by strip, and read back from there.

import type { Background, RowsAt, Sides, Source } from './source.js'

export const CANVAS_SETTINGS = { colorSpace: 'srgb', willReadFrequently: true } as const

type Options = Pick<Source, 'hasAlpha' | 'isDecodedWhole'>

interface DrawnOptions extends Options {
  /** As EXIF numbers it, 1…8. */
  readonly orientation?: number
  /** Whether the browser has turned the picture by itself. */
  readonly isTurned?: boolean
  /** The part of the stored picture that the service's decoder keeps: it drops columns at the right and rows at the bottom. Default: all of it. */
  readonly kept?: Sides
}

/** @param image is closed with the source. */
export function drawnSource(
  image: ImageBitmap,
  { orientation = 1, isTurned = false, kept, ...options }: DrawnOptions,
): Source {
  if (orientation === 1) return turnedSource(image, 1, options, kept)
  const shown = turnedSource(image, isTurned ? 1 : orientation, options)
  const stored = turnedSource(image, isTurned ? turnedBack(orientation) : 1, options, kept)
  return { ...shown, stored: { source: stored, orientation } }
}

/** The orientation that undoes another. */
function turnedBack(orientation: number): number {
  return orientation === 6 ? 8 : orientation === 8 ? 6 : orientation
}

function turnedSource(image: ImageBitmap, orientation: number, options: Options, kept?: Sides): Source {
  const whole = orientation > 4 ? { width: image.height, height: image.width } : image
  const { width, height } = kept ?? whole
  return { ...options, width, height, read, close: () => image.close() }

  function read<T>(stripRows: number, background: Background | undefined, use: (rowsAt: RowsAt) => T): T {
    const canvas = new OffscreenCanvas(width, stripRows)
    const context = canvas.getContext('2d', { ...CANVAS_SETTINGS, alpha: background === undefined })
    if (context === null) throw new RangeError('there is no memory for a canvas')
    const [a, b, c, d, e, f] = turned(orientation, whole.width, whole.height)
    try {
      return use((top, count) => {
        context.resetTransform()
        context.clearRect(0, 0, width, stripRows)
        if (background !== undefined) {
          context.fillStyle = background
          context.fillRect(0, 0, width, stripRows)
        }
        context.setTransform(a, b, c, d, e, f - top)
        context.drawImage(image, 0, 0)
        return context.getImageData(0, 0, width, count).data
      })
    } finally {
      context.resetTransform()
      context.clearRect(0, 0, width, stripRows)
      canvas.width = 0
    }
  }
}

type Transform = readonly [a: number, b: number, c: number, d: number, e: number, f: number]

/** From a stored pixel to where it is shown. @param width of the picture as shown. */
function turned(orientation: number, width: number, height: number): Transform {
  const transforms: Readonly<Record<number, Transform>> = {
    2: [-1, 0, 0, 1, width, 0],
    3: [-1, 0, 0, -1, width, height],
    4: [1, 0, 0, -1, 0, height],
    5: [0, 1, 1, 0, 0, 0],
    6: [0, 1, -1, 0, width, 0],
    7: [0, -1, -1, 0, width, height],
    8: [0, -1, 1, 0, 0, height],
  }
  return transforms[orientation] ?? [1, 0, 0, 1, 0, 0]
}

/**
 * False for browsers that guard against fingerprinting: they change all or some pixels that are read back from a canvas. Hashes of such pixels
 * would match nothing, unnoticed. Checked for each file, because the guard can be switched on for a page at any time.
 */
export function readsBackExactly(): boolean {
  const canvas = new OffscreenCanvas(PROBE_SIDE_PX, PROBE_SIDE_PX)
  const context = canvas.getContext('2d', { ...CANVAS_SETTINGS, alpha: false })
  if (context === null) return true // no memory: that is found out, and said, when the image is drawn
  const pattern = new ImageData(PROBE_SIDE_PX, PROBE_SIDE_PX)
  pattern.data.forEach((_, i) => {
    pattern.data[i] = i % 4 === 3 ? 255 : Math.imul(i + 1, 2_654_435_761) >>> 24
  })
  context.putImageData(pattern, 0, 0)
  const { data } = context.getImageData(0, 0, PROBE_SIDE_PX, PROBE_SIDE_PX)
  return pattern.data.every((value, i) => value === data[i])
}

const PROBE_SIDE_PX = 64
