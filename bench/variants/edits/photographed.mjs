// Photographs of a screen, and several edits on top of one another.

import { edit } from '../generate.mjs'
import { jpegOf, pictureOf, pipeline } from '../picture.mjs'
import { text } from '../svg.mjs'
import { bordered } from './frames.mjs'
import { cropped } from './geometry.mjs'
import { onScreen, seenAskew } from './optics.mjs'
import { drawnOver } from './overlays.mjs'
import { tinted } from './tones.mjs'
import { words } from './words.mjs'

export const photographed = [
  edit('screen_photo', 'heavy', async ({ photo, random }) => {
    const shown = await within(photo, 900)
    return jpegOf(pipeline(onScreen(seenAskew(shown, random, 0.035), random)).blur(0.7), 80)
  }),
  edit('screen_photo_bezel', 'heavy', async ({ photo, random }) => {
    const shown = await within(photo, 800)
    const rim = Math.round(shown.width * 0.09)
    const bezel = { top: rim * 2, bottom: rim * 2, left: rim, right: rim, background: '#111' }
    const device = await pictureOf(pipeline(shown).extend(bezel))
    return jpegOf(pipeline(onScreen(seenAskew(device, random, 0.03), random)).blur(0.7), 80)
  }),
  edit('combo_repost', 'heavy', async ({ photo, random }) => {
    const cut = await cropped(photo, random, 0.08)
    const warm = tinted(cut, [(v) => v * 1.08 + 6, (v) => v, (v) => v * 0.9])
    const [x, y, size] = [warm.width * 0.1, warm.height * 0.9, warm.width / 14]
    const written = await drawnOver(warm, text(x, y, size, '#fff', words(random), 'stroke="#000" stroke-width="1"'))
    return jpegOf(pipeline(await within(written, 640)), 45)
  }),
  edit('combo_mirror_crop_border', 'heavy', async ({ photo, random }) => {
    const cut = await cropped(photo, random, 0.1)
    const mirrored = await pictureOf(pipeline(cut).flop())
    return jpegOf(pipeline(await bordered(mirrored, 0.06, random.pick(['#fff', '#000']))), 60)
  }),
]

function within(picture, longSidePx) {
  return pictureOf(pipeline(picture).resize(longSidePx, longSidePx, { fit: 'inside' }))
}
