// Crops, turns and the mirror.

import { edit } from '../generate.mjs'
import { jpegOf, pictureOf, pipeline } from '../picture.mjs'

const MIN_SIDE_PX = 8

export const geometry = [
  ...[2, 5, 10, 20, 30].map((percent) =>
    edit(`crop_${percent}`, 'geometric', async ({ photo, random }) =>
      jpegOf(pipeline(await cropped(photo, random, percent / 100))),
    ),
  ),
  edit('crop_square', 'geometric', ({ photo }) => jpegOf(middleSquare(photo))),
  ...[1, 3, 5, 10].flatMap((degrees) => [
    edit(`rot_${degrees}_fill`, 'geometric', ({ photo, random }) => jpegOf(leaningFilled(photo, random, degrees))),
    edit(`rot_${degrees}_crop`, 'geometric', async ({ photo, random }) => jpegOf(await leaningCut(photo, random, degrees))),
  ]),
  ...[90, 180, 270].map((degrees) =>
    edit(`rot_${degrees}`, 'geometric', ({ photo }) => jpegOf(pipeline(photo).rotate(degrees))),
  ),
  edit('mirror', 'geometric', ({ photo }) => jpegOf(pipeline(photo).flop())),
]

/** @param removed the share of the area that is cut off, dealt at random to width and height, and to the sides. */
export function cropped(picture, random, removed) {
  const kept = 1 - removed
  const keptWide = kept ** random()
  const width = Math.max(MIN_SIDE_PX, Math.round(picture.width * keptWide))
  const height = Math.max(MIN_SIDE_PX, Math.round(picture.height * (kept / keptWide)))
  const left = Math.round((picture.width - width) * random())
  const top = Math.round((picture.height - height) * random())
  return pictureOf(pipeline(picture).extract({ left, top, width, height }))
}

function middleSquare(photo) {
  const side = Math.min(photo.width, photo.height)
  const [left, top] = [Math.floor((photo.width - side) / 2), Math.floor((photo.height - side) / 2)]
  return pipeline(photo).extract({ left, top, width: side, height: side })
}

/** Turned a little, the canvas grown, its corners black or white. */
function leaningFilled(photo, random, degrees) {
  const angle = random() < 0.5 ? degrees : -degrees
  return pipeline(photo).rotate(angle, { background: random.pick(['#000', '#fff']) })
}

/** Turned a little, and the largest upright rectangle cut out of it. */
async function leaningCut(photo, random, degrees) {
  const angle = random() < 0.5 ? degrees : -degrees
  const leaning = await pictureOf(pipeline(photo).rotate(angle, { background: '#000' }))
  const inner = uprightWithin(photo, (degrees * Math.PI) / 180)
  const [width, height] = [Math.floor(inner.width) - 2, Math.floor(inner.height) - 2]
  const left = Math.floor((leaning.width - width) / 2)
  const top = Math.floor((leaning.height - height) / 2)
  return pipeline(leaning).extract({ left, top, width, height })
}

/** The sides of the largest upright rectangle in one that is turned by that angle. */
function uprightWithin({ width, height }, angle) {
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)]
  const [long, short] = [Math.max(width, height), Math.min(width, height)]
  if (short <= 2 * sin * cos * long) {
    const half = 0.5 * short
    return width >= height ? { width: half / sin, height: half / cos } : { width: half / cos, height: half / sin }
  }
  const cosOfTwice = cos * cos - sin * sin
  return { width: (width * cos - height * sin) / cosOfTwice, height: (height * cos - width * sin) / cosOfTwice }
}
