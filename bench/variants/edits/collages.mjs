// The picture beside others on one canvas.

import sharp from 'sharp'
import { edit } from '../generate.mjs'
import { jpegOf, pictureOf, pipeline, plain, storedPng } from '../picture.mjs'

export const collages = [
  collage('collage_2x1', { columns: 2, rows: 1, wide: 640, high: 800 }),
  collage('collage_2x2', { columns: 2, rows: 2, wide: 540, high: 540 }),
]

function collage(id, { columns, rows, wide, high }) {
  const make = async ({ photo, random, others }) => {
    const gap = random.pick([0, 6, 12])
    const slot = random.int(0, columns * rows - 1)
    const layers = []
    for (let i = 0; i < columns * rows; i++) {
      const picture = i === slot ? photo : others[(i + random.int(0, 97)) % others.length]
      const input = await storedPng(pipeline(picture).resize(wide, high, { fit: 'cover' }))
      layers.push({ input, left: gap + (i % columns) * (wide + gap), top: gap + Math.floor(i / columns) * (high + gap) })
    }
    const canvas = plain(gap + columns * (wide + gap), gap + rows * (high + gap), random.pick(['#fff', '#000']))
    const whole = await pictureOf(sharp(await storedPng(canvas.composite(layers))))
    return jpegOf(pipeline(whole))
  }
  return edit(id, 'collage', make, { usesOthers: true })
}
