// Finds small pictures on a page, such as a preview in a chat or a picture beside text: cuts the page along lines of one colour, again and again
// (a recursive X-Y cut, as for scanned documents). Corners may be round, and edges need not be long.

import type { Raster } from '../raster.js'
import { areaOf, type Rectangle } from '../rectangle.js'
import { cellsOf } from './grid-cells.js'
import type { Lines } from './lines.js'
import { isSameColour, plainColour } from './trim.js'

type Page = Pick<Raster, 'width' | 'height' | 'rgb'> & { readonly lines: Lines }
type Along = 'rows' | 'columns'

/** Minimum share of each side of the page. A smaller block may be an avatar or an icon. */
const MIN_SIDE = 0.07
/**
 * Share of the page's area. Larger pictures have edges long enough to be found as rectangles. A larger block may be an object on a plain ground: with
 * blocks of any size, 13 in place of 12 of 330 shirts of set b are flagged.
 */
const MAX_AREA = 0.3
/** Maximum number of cuts inside one another. */
const MAX_DEPTH = 10

/** @returns the blocks of a page, and the cells of those that are grids. Few or none for a photograph. */
export function blocksOf(page: Page): Rectangle[] {
  const whole = { left: 0, top: 0, right: page.width, bottom: page.height }
  const minSides = { width: MIN_SIDE * page.width, height: MIN_SIDE * page.height }
  const blocks: Rectangle[] = []
  /** @param ground index of a pixel with the colour around the part. @param isUncut whether the part has no lines of one colour in the other direction. */
  function cut(part: Rectangle, along: Along, ground: number | undefined, isUncut: boolean, depth: number): void {
    if (part.right - part.left < minSides.width || part.bottom - part.top < minSides.height) return
    const { bands, colours } = bandsOf(page, part, along)
    const isWhole = colours.length === 0
    if ((isWhole && isUncut) || depth === MAX_DEPTH) {
      blocks.push(part, ...cellsOf(page.lines, part, minSides))
      return
    }
    // A card on the page, or a picture with a plain sky.
    if (ground !== undefined && colours.some((colour) => !isSameColour(page.rgb, colour, ground))) blocks.push(part)
    const other = along === 'rows' ? 'columns' : 'rows'
    for (const band of bands) cut(band, other, colours[0] ?? ground, isWhole, depth + 1)
  }
  cut(whole, 'rows', undefined, false, 0)
  return blocks.filter((block) => areaOf(block) < MAX_AREA * areaOf(whole))
}

/** @returns the parts between rows or columns of one colour, and for each such row or column the index of a pixel with its colour. */
function bandsOf(page: Page, part: Rectangle, along: Along): { bands: Rectangle[]; colours: number[] } {
  const [from, to] = along === 'rows' ? [part.top, part.bottom] : [part.left, part.right]
  const bands: Rectangle[] = []
  const colours: number[] = []
  let start = from
  for (let at = from; at <= to; at++) {
    const colour = at < to ? plainColour(page, lineOf(part, along, at)) : -1
    if (colour === undefined) continue
    if (at > start) bands.push(along === 'rows' ? { ...part, top: start, bottom: at } : { ...part, left: start, right: at })
    if (at < to) colours.push(colour)
    start = at + 1
  }
  return { bands, colours }
}

/** A row or column without the pixel at each end, which the reduction of the picture blends with what lies beside. */
function lineOf(part: Rectangle, along: Along, at: number): Rectangle {
  return along === 'rows'
    ? { left: part.left + 1, right: part.right - 1, top: at, bottom: at + 1 }
    : { left: at, right: at + 1, top: part.top + 1, bottom: part.bottom - 1 }
}
