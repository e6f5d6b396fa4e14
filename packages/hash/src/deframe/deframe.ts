// The picture inside the picture: what is left of a screenshot, a meme or a collage without what was put around it.

import type { MeasuredRaster } from '../measured.js'
import { wholeOf } from '../raster.js'
import { areaOf, overlapOf, type Rectangle } from '../rectangle.js'
import { bestOf } from './ranking.js'
import { densityOf, type Texture, texturedPart } from './texture.js'
import { trimmed } from './trim.js'

export interface Deframed {
  /** Parts that may be the picture, the most likely first; none of them nearly the whole, no two nearly the same. */
  readonly parts: readonly Rectangle[]
  /** The part that something was put around; absent for a picture that is all there is. */
  readonly framed: Framed | undefined
}

export interface Framed extends Rectangle {
  /** What is around is much plainer than what is inside. Otherwise it may be a picture with a window or a poster in it. */
  readonly isPlainAround: boolean
}

/** From this score on a rectangle has a frame around it: 95 of 100 framed pictures lie above, 95 of 100 plain ones below. */
const FRAMED_SCORE = 9.8
/** Of the whole: what is smaller may be a button or a line to write in, and those are everybody's. */
const MIN_FRAMED_AREA = 0.1
/** Of what has so much less fine structure than the part itself, half of the pictures that are wrongly taken for framed have more. */
const PLAIN_AROUND = 0.7
const RANKED_PARTS = 12
const SAME_OVERLAP = 0.95
const MIN_AREA = 0.02

/**
 * Three ways to look: margins of one colour cut off; the largest part with fine structure, where margins are blurred; the best
 * rectangles that long straight edges enclose.
 *
 * Whatever the picture, at most 14 parts come out and at most 36,100 rectangles are looked at.
 */
export function deframe(raster: MeasuredRaster): Deframed {
  const { lines, texture } = raster
  const whole = wholeOf(raster)
  const ranked = bestOf(lines, texture, RANKED_PARTS)
  const textured = texturedPart(texture)
  const framed = ranked.find((part) => part.score >= FRAMED_SCORE && areaOf(part) >= MIN_FRAMED_AREA * areaOf(whole))
  return {
    parts: distinct(
      [...ranked.slice(0, 1), trimmed(raster, whole), ...(textured ? [textured] : []), ...ranked.slice(1)],
      whole,
    ),
    framed: framed === undefined ? undefined : { ...framed, isPlainAround: isPlainAround(texture, framed, whole) },
  }
}

function isPlainAround(texture: Texture, part: Rectangle, whole: Rectangle): boolean {
  const inside = densityOf(texture, part)
  const area = areaOf(part) / areaOf(whole)
  return densityOf(texture, whole) - inside * area <= PLAIN_AROUND * inside * (1 - area)
}

function distinct(parts: readonly Rectangle[], whole: Rectangle): Rectangle[] {
  const chosen: Rectangle[] = []
  for (const part of parts) {
    if (overlapOf(part, whole) < MIN_AREA) continue
    if ([whole, ...chosen].every((other) => overlapOf(part, other) < SAME_OVERLAP)) chosen.push(part)
  }
  return chosen
}
