// Ends of photographs. A screen of a scrolling page cuts photographs off at its top and bottom, anywhere. Of what remains the whole end is hashed in a
// fixed shape, so that it does not matter how much more of the photograph is seen.

import { overlapOf, type Rectangle } from '../rectangle.js'

/**
 * Height of an end, relative to its width. Cuts at some shares of the height would find little: at shares that are 5 % apart 4 of 100 tuning
 * photographs are within 42 bits, at 10 % none.
 */
const END_HEIGHT = 0.5
/** Borders of parts that are as near as this to the picture's own are taken for it, in shares of its height. */
const BORDER = 0.015
/** Most ends that are asked about, of parts that one border of the picture cuts off. */
const MAX_ASKED = 2

type Size = Readonly<Record<'width' | 'height', number>>

/** @returns both ends of each part, in the pixels of a picture in its own proportions; none of parts that are lower. */
export function endsOf(parts: readonly Rectangle[], sameOverlap: number): Rectangle[] {
  const ends = parts.flatMap((part) => [...endOf(part, 'top', 1), ...endOf(part, 'bottom', 1)])
  return distinct(
    ends.map((end) => ({ ...end, top: Math.round(end.top), bottom: Math.round(end.bottom) })),
    sameOverlap,
  )
}

/**
 * @param parts the likeliest first.
 * @param aspect width over height of the displayed picture.
 * @returns of the likeliest parts that the top or the bottom of a picture cuts off the other end.
 */
export function seenEndsOf(
  parts: readonly Rectangle[],
  { width, height }: Size,
  aspect: number,
  sameOverlap: number,
): Rectangle[] {
  const isAtTop = ({ top }: Rectangle) => top <= BORDER * height
  const isAtBottom = ({ bottom }: Rectangle) => bottom >= (1 - BORDER) * height
  const seen = (end: End, those: readonly Rectangle[]) =>
    distinct(
      those.flatMap((part) => endOf(part, end, (aspect * height) / width)),
      sameOverlap,
    ).slice(0, MAX_ASKED)
  return [
    ...seen(
      'bottom',
      parts.filter((part) => isAtTop(part) && !isAtBottom(part)),
    ),
    ...seen(
      'top',
      parts.filter((part) => isAtBottom(part) && !isAtTop(part)),
    ),
  ]
}

type End = 'top' | 'bottom'

/** @param pixelAspect by what a width has to be multiplied to be a height, where both sides were reduced by different factors. */
function endOf(part: Rectangle, end: End, pixelAspect: number): Rectangle[] {
  const heightPx = END_HEIGHT * (part.right - part.left) * pixelAspect
  if (part.bottom - part.top < heightPx) return []
  return [end === 'top' ? { ...part, bottom: part.top + heightPx } : { ...part, top: part.bottom - heightPx }]
}

function distinct(parts: readonly Rectangle[], sameOverlap: number): Rectangle[] {
  const chosen: Rectangle[] = []
  for (const part of parts) if (chosen.every((other) => overlapOf(part, other) < sameOverlap)) chosen.push(part)
  return chosen
}
