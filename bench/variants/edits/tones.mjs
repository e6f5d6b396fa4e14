// Light, colour, sharpness and noise: what the editor of a phone does.

import { edit } from '../generate.mjs'
import { jpegOf, pipeline } from '../picture.mjs'
import { svg } from '../svg.mjs'

export const tones = [
  edit('grayscale', 'light', ({ photo }) => jpegOf(pipeline(photo).grayscale().toColourspace('srgb'))),
  curve('bright_p30', (value) => value * 1.3),
  curve('bright_m30', (value) => value * 0.7),
  curve('contrast_p30', (value) => (value - 128) * 1.3 + 128),
  curve('contrast_m30', (value) => (value - 128) * 0.7 + 128),
  curve('gamma_0.6', (value) => 255 * (value / 255) ** 0.6),
  curve('gamma_1.6', (value) => 255 * (value / 255) ** 1.6),
  edit('saturation_p60', 'light', ({ photo }) => jpegOf(pipeline(photo).modulate({ saturation: 1.6 }))),
  edit('saturation_m60', 'light', ({ photo }) => jpegOf(pipeline(photo).modulate({ saturation: 0.4 }))),
  edit('blur_1', 'light', ({ photo }) => jpegOf(pipeline(photo).blur(1))),
  edit('blur_2', 'light', ({ photo }) => jpegOf(pipeline(photo).blur(2))),
  edit('noise_10', 'light', ({ photo, random }) => jpegOf(pipeline(noisy(photo, random, 10)))),
  edit('noise_25', 'medium', ({ photo, random }) => jpegOf(pipeline(noisy(photo, random, 25)))),
  edit('sharpen', 'light', ({ photo }) => jpegOf(pipeline(photo).sharpen({ sigma: 1.5 }))),
  edit('filter_warm', 'light', ({ photo }) =>
    jpegOf(pipeline(tinted(photo, [(v) => v * 1.12 + 8, (v) => v * 1.02, (v) => v * 0.8]))),
  ),
  edit('filter_cool', 'light', ({ photo }) =>
    jpegOf(pipeline(tinted(photo, [(v) => v * 0.82, (v) => v * 0.98, (v) => v * 1.15 + 6]))),
  ),
  edit('filter_vintage', 'medium', ({ photo }) => jpegOf(vintage(photo))),
]

/** @param curves what each of red, green and blue becomes. */
export function tinted(picture, curves) {
  const tables = curves.map((of) =>
    Uint8Array.from({ length: 256 }, (_, v) => Math.max(0, Math.min(255, Math.round(of(v))))),
  )
  const data = Buffer.alloc(picture.data.length)
  for (let i = 0; i < data.length; i++) data[i] = tables[i % 3][picture.data[i]]
  return { ...picture, data }
}

function curve(id, of) {
  return edit(id, 'light', ({ photo }) => jpegOf(pipeline(tinted(photo, [of, of, of]))))
}

function noisy(picture, random, deviation) {
  const data = Buffer.alloc(picture.data.length)
  for (let i = 0; i < data.length; i++) data[i] = Math.max(0, Math.min(255, picture.data[i] + random.gauss() * deviation))
  return { ...picture, data }
}

/** Faded and warm, dark towards the corners. */
function vintage(photo) {
  const { width, height } = photo
  const stops =
    '<stop offset="55%" stop-color="#000" stop-opacity="0"/><stop offset="100%" stop-color="#000" stop-opacity="0.6"/>'
  const gradient = `<defs><radialGradient id="g">${stops}</radialGradient></defs>`
  const corners = svg(width, height, `${gradient}<rect width="${width}" height="${height}" fill="url(#g)"/>`)
  const faded = tinted(photo, [(v) => 30 + v * 0.85, (v) => 20 + v * 0.82, (v) => 45 + v * 0.65])
  return pipeline(faded).composite([{ input: corners }])
}
