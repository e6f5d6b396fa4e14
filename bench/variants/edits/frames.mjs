// Bars, borders and the white head of a meme.

import { edit } from '../generate.mjs'
import { jpegOf, pictureOf, pipeline } from '../picture.mjs'
import { text } from '../svg.mjs'
import { drawnOver } from './overlays.mjs'
import { words } from './words.mjs'

export const frames = [
  edit('bars_9x16', 'medium', async ({ photo }) => jpegOf(pipeline(await barred(photo, 9 / 16)))),
  edit('bars_16x9', 'medium', async ({ photo }) => jpegOf(pipeline(await barred(photo, 16 / 9)))),
  edit('border_white_5', 'medium', async ({ photo }) => jpegOf(pipeline(await bordered(photo, 0.05, '#fff')))),
  edit('border_white_10', 'medium', async ({ photo }) => jpegOf(pipeline(await bordered(photo, 0.1, '#fff')))),
  edit('meme_frame', 'medium', async ({ photo, random }) => jpegOf(pipeline(await meme(photo, random)))),
]

/** @param share of the shorter side that each of the four borders takes. */
export function bordered(picture, share, background) {
  const rim = Math.round(Math.min(picture.width, picture.height) * share)
  return pictureOf(pipeline(picture).extend({ top: rim, bottom: rim, left: rim, right: rim, background }))
}

/** @param aspect the width to the height that black bars lead to. */
function barred(picture, aspect) {
  const isWide = picture.width / picture.height > aspect
  const width = isWide ? picture.width : Math.round(picture.height * aspect)
  const height = isWide ? Math.round(picture.width / aspect) : picture.height
  const [top, left] = [Math.floor((height - picture.height) / 2), Math.floor((width - picture.width) / 2)]
  const [bottom, right] = [height - picture.height - top, width - picture.width - left]
  return pictureOf(pipeline(picture).extend({ top, bottom, left, right, background: '#000' }))
}

async function meme(photo, random) {
  const high = Math.round(photo.height * (0.16 + random() * 0.1))
  const size = Math.max(14, Math.round(photo.width / 16))
  const framed = await pictureOf(pipeline(photo).extend({ top: high, background: '#fff' }))
  const line = (y) => text(framed.width / 2, y, size, '#000', words(random), 'text-anchor="middle"')
  return drawnOver(framed, line(high * 0.45) + line(high * 0.45 + size * 1.2))
}
