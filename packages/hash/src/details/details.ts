// Computes the details of a picture, for registering it or for querying with it.

import { deframe } from '../deframe/deframe.js'
import type { DetailsKernel } from '../details-kernel.js'
import type { FrameKernel } from '../frame-kernel.js'
import type { MeasuredRaster } from '../measured.js'
import type { Pixels } from '../pixels.js'
import { wholeOf } from '../raster.js'
import type { Rectangle } from '../rectangle.js'
import { isPhotographIn, isPictureIn } from '../simple.js'
import { type AskedView, featuresOf, MIN_SIDE_PX } from './features.js'
import { kept } from './kept.js'
import { type DetailRows, MAX_POINTS, type Points, pointsOf, rowsOf } from './rows.js'
import { selected } from './select.js'

export interface RegisteredDetails {
  /** Up to 48 details for the index, spread over the picture, best first. The service indexes the first 16 that few other pictures share. */
  readonly ranked: DetailRows
  /** Up to 150 details that verify a candidate. They are not indexed. */
  readonly points: Points
}

export interface Details {
  /**
   * Computes the details to register a picture by. Of a picture in a frame or on a page, only those of the inside: apps draw the same frame around
   * many pictures. None if a side is under `MIN_SIDE_PX`.
   *
   * Cost: that of detecting features in seven pictures with a longer side of 480 pixels.
   */
  register(pixels: Pixels): RegisteredDetails
  /**
   * Computes at most 9 views to query with: the whole picture, parts without their frames, its middle, and the whole at a larger size. None if a side
   * is under `MIN_SIDE_PX`.
   */
  ask(pixels: Pixels): AskedView[]
}

/** The longer side at which a picture is registered. */
export const REGISTERED_SIDE_PX = 480
const ASKED_SIDE_PX = 560
const LARGE_SIDE_PX = 1000
/** Maximum features that a registered picture's details are selected from, and maximum features of a query's view. */
const FOUND = 250
const ASKED = 300
const PARTS_ASKED = 6
/** Maximum ratio of the long to the short side of a part to register. Nearly all films are less wide. */
const STRIP_ASPECT = 2.5
/** Minimum share of a form that a photograph in it takes. Smaller ones are avatars, which many forms share. */
const MIN_PHOTOGRAPH_AREA = 0.07

export function detailsWith(kernel: DetailsKernel, frames: FrameKernel): Details {
  return {
    register(pixels) {
      if (isTiny(pixels)) return NONE
      const part = frames.measure(pixels, (raster) =>
        scaled(pictureIn(raster, pixels), pixels.width / raster.width, pixels.height / raster.height),
      )
      const luma = reduced(pixels, part)
      const options = { sidePx: REGISTERED_SIDE_PX, count: FOUND, mirrors: false, aspect: luma.width / luma.height }
      const view = kernel.usePyramid(luma, REGISTERED_SIDE_PX, (pyramid) => featuresOf(pyramid, wholeOf(luma), options))
      const result = {
        ranked: rowsOf(kept({ ...view, features: selected(kernel, luma, view) })),
        points: pointsOf(kept({ ...view, features: view.features.slice(0, MAX_POINTS) })),
      }
      luma.data.fill(0)
      return result
    },
    ask(pixels) {
      if (isTiny(pixels)) return []
      const whole = wholeOf(pixels)
      const parts = frames.measure(pixels, (raster) =>
        deframe(raster)
          .parts.slice(0, PARTS_ASKED)
          .map((part) => scaled(part, pixels.width / raster.width, pixels.height / raster.height)),
      )
      return kernel.usePyramid(pixels, LARGE_SIDE_PX, (pyramid) => {
        const viewOf = (part: Rectangle, sidePx: number) => {
          const aspect = (part.right - part.left) / (part.bottom - part.top)
          const view = featuresOf(pyramid, part, { sidePx, count: ASKED, mirrors: true, aspect })
          return { ...view, part: scaled(part, 1 / pixels.width, 1 / pixels.height) }
        }
        const views = [whole, ...parts, middleOf(whole)].map((part) => viewOf(part, ASKED_SIDE_PX))
        // At `ASKED_SIDE_PX`, a small picture on a large page would have too few pixels.
        return Math.max(pixels.width, pixels.height) > ASKED_SIDE_PX ? [...views, viewOf(whole, LARGE_SIDE_PX)] : views
      })
    },
  }
}

const NONE: RegisteredDetails = {
  ranked: { width: 2, height: 2, rows: [] },
  points: { width: 2, height: 2, points: [] },
}

/** Whether the picture is too small for a single patch. */
function isTiny({ width, height }: Pixels): boolean {
  return Math.min(width, height) < MIN_SIDE_PX
}

/**
 * The part that is registered. Of parts in a frame that are nearly as likely, the one with the most fine structure: others contain text and buttons,
 * too. If it is a form, such as a page without a frame, the likeliest photograph in it. Other pictures, such as logos, are on many forms. No part that
 * is long and narrow, as a line of text or a row of buttons is.
 */
function pictureIn(raster: MeasuredRaster, { width, height }: Pixels): Rectangle {
  const isStrip = ({ left, top, right, bottom }: Rectangle) => {
    const [across, down] = [((right - left) * width) / raster.width, ((bottom - top) * height) / raster.height]
    return Math.max(across, down) > STRIP_ASPECT * Math.min(across, down)
  }
  const { framed, parts } = deframe(raster)
  const likeliest = framed?.byTexture.find((part) => !isStrip(part)) ?? wholeOf(raster)
  if (isPictureIn(raster, likeliest)) return likeliest
  return parts.find((part) => !isStrip(part) && isPhotographIn(raster, part, MIN_PHOTOGRAPH_AREA)) ?? likeliest
}

/** The middle half of each side. If the picture fills a phone's screen, this part shows more of the picture than of the app. */
function middleOf({ right, bottom }: Rectangle): Rectangle {
  return { left: right / 4, top: bottom / 4, right: (3 * right) / 4, bottom: (3 * bottom) / 4 }
}

function scaled({ left, top, right, bottom }: Rectangle, across: number, down: number): Rectangle {
  return { left: left * across, top: top * down, right: right * across, bottom: bottom * down }
}

/** The part in grey, at the size for registering. Each new pixel is the mean of the old pixels whose top left corner it covers. */
function reduced({ data, width, height, channels }: Pixels, part: Rectangle): Pixels {
  const [across, down] = [part.right - part.left, part.bottom - part.top]
  const factor = Math.min(1, REGISTERED_SIDE_PX / Math.max(across, down))
  const newWidth = Math.max(1, Math.round(across * factor))
  const newHeight = Math.max(1, Math.round(down * factor))
  const luma = new Uint8ClampedArray(newWidth * newHeight)
  const columns = Array.from({ length: newWidth + 1 }, (_, x) => borderOf(part.left, across, x / newWidth, width))
  for (let row = 0; row < newHeight; row++) {
    const top = borderOf(part.top, down, row / newHeight, height)
    const bottom = Math.max(top + 1, borderOf(part.top, down, (row + 1) / newHeight, height))
    for (let column = 0; column < newWidth; column++) {
      const left = columns[column] ?? 0
      const right = Math.max(left + 1, columns[column + 1] ?? 0)
      let sum = 0
      for (let y = top; y < bottom; y++) {
        for (let x = left; x < right; x++) sum += lumaAt(data, (y * width + x) * channels, channels)
      }
      luma[row * newWidth + column] = sum / ((bottom - top) * (right - left))
    }
  }
  return { data: luma, width: newWidth, height: newHeight, channels: 1 }
}

function borderOf(from: number, length: number, share: number, limit: number): number {
  return Math.min(limit - 1, Math.floor(from + length * share))
}

function lumaAt(data: Pixels['data'], at: number, channels: number): number {
  if (channels === 1) return data[at] ?? 0
  return 0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0)
}
