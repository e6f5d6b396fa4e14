// The same room, or the same mirror, with another subject in it. Subjects are silhouettes of a person filled from a photograph.

import { pictureOf, pipeline } from '../variants/picture.mjs'
import { randomOf } from '../variants/random.mjs'
import { canvas, filling, hsl, masked, saved } from './draw.mjs'

const BANDS = [
  { name: 'same room, subject < 15 %', from: 0.07, to: 0.14 },
  { name: 'same room, subject 15–25 %', from: 0.16, to: 0.24 },
  { name: 'same room, subject 25–35 %', from: 0.26, to: 0.34 },
  { name: 'same room, subject ≥ 35 %', from: 0.36, to: 0.5 },
]
/** Share of its box of 1 × 2.2 that a silhouette covers, measured on the drawing. */
const SILHOUETTE_SHARE = 0.64
const TALL = 2.2
/** Maximum share of a side that is cropped at each edge: with a tripod or a shelf, and with a hand. */
const MOVES = [0, 0, 0.01, 0.025]
const WIDE_BODY = { tall: 1.25, share: 0.62 }

export const rooms = BANDS.map((band, number) => ({
  name: band.name,
  async draw({ photos, size, set, seed }) {
    const registered = []
    for (let i = 0; i < size; i++) {
      const room = Math.floor(i / 2)
      const shared = randomOf(`${seed} ${set} ${band.name} room ${room}`)
      const random = randomOf(`${seed} ${set} ${band.name} ${i}`)
      const place = photos[(room + number * 13) % photos.length]
      const subject = photos[(Math.floor(photos.length / 2) + number * 13 + i) % photos.length]
      const picture = await pictured(await place.open(), await subject.open(), band, { shared, random })
      registered.push({ name: `${band.name} ${i}`, bytes: await saved(picture, random) })
    }
    return { registered }
  },
}))

/** @param shared random numbers for what both pictures of a room have in common; `random` for the rest. */
async function pictured(place, subject, { from, to }, { shared, random }) {
  const [w, h] = shared.pick([
    [900, 1200],
    [960, 1280],
    [1080, 1080],
    [1200, 900],
  ])
  const isMirror = shared() < 0.5
  const layers = isMirror ? await mirrorIn(place, w, h, shared) : [await filling(place, { w, h })]
  const share = from + (to - from) * random()
  const isClose = from > 0.25
  const { tall, share: covered } = isClose ? WIDE_BODY : { tall: TALL, share: SILHOUETTE_SHARE }
  // Within the frame, with feet or waist at the lower edge, near the position of the other subject.
  const wide = Math.min(Math.sqrt((share * w * h) / (covered * tall)), w * 0.94)
  const high = Math.min(wide * tall, h * 0.96)
  const centre = w * (0.4 + 0.2 * shared()) + w * 0.05 * (random() - 0.5)
  const x = Math.max(0, Math.min(w - wide, centre - wide / 2))
  const box = { x, y: h - high, w: wide, h: high }
  layers.push(await masked(subject, box, isClose ? closeBody(box) : wholeBody(box)))
  layers.push(headOf(box, isClose, isMirror, random))
  return shotAgain(await canvas(w, h, '#000', layers), shared.pick(MOVES), random)
}

/** A wall with a mirror that shows the room. */
async function mirrorIn(place, w, h, shared) {
  const hue = shared.int(0, 359)
  const [x, y] = [w * (0.06 + 0.06 * shared()), h * (0.04 + 0.05 * shared())]
  const box = { x, y, w: w - 2 * x, h: h - y - h * 0.05 * shared() }
  const wall = `<defs><linearGradient id="w" x2="1" y2="0.6"><stop stop-color="${hsl(hue, 14, 78)}"/><stop offset="1" stop-color="${hsl(hue, 16, 56)}"/></linearGradient></defs><rect width="${w}" height="${h}" fill="url(#w)"/>`
  const rim = 8 + 14 * shared()
  const frame = `<rect x="${x - rim}" y="${y - rim}" width="${box.w + 2 * rim}" height="${box.h + 2 * rim}" rx="8" fill="${hsl(hue + 30, 30, 26)}"/>`
  return [wall + frame, await filling(place, box)]
}

function wholeBody({ w, h }) {
  const at = (x, y) => `${x * w} ${y * h}`
  return `<path d="M${at(0.4, 0.2)} Q${at(0.06, 0.2)} ${at(0.04, 0.36)} L${at(0, 0.58)} L${at(0.16, 0.6)} L${at(0.22, 0.4)} L${at(0.2, 1)} H${w * 0.47} L${at(0.5, 0.66)} L${at(0.53, 1)} H${w * 0.8} L${at(0.78, 0.4)} L${at(0.84, 0.6)} L${at(1, 0.58)} L${at(0.96, 0.36)} Q${at(0.94, 0.2)} ${at(0.6, 0.2)} Z"/><ellipse cx="${w / 2}" cy="${h * 0.1}" rx="${w * 0.22}" ry="${h * 0.1}"/>`
}

function closeBody({ w, h }) {
  return `<path d="M0 ${h} Q${w * 0.02} ${h * 0.55} ${w * 0.36} ${h * 0.47} H${w * 0.64} Q${w * 0.98} ${h * 0.55} ${w} ${h} Z"/><rect x="${w * 0.38}" y="${h * 0.36}" width="${w * 0.24}" height="${h * 0.16}"/><ellipse cx="${w / 2}" cy="${h * 0.22}" rx="${w * 0.24}" ry="${h * 0.22}"/>`
}

/** Skin and hair over the photograph, so that heads look like heads; in a mirror a hand holds a phone. */
function headOf({ x, y, w, h }, isClose, isMirror, random) {
  const skin = hsl(random.int(15, 35), random.int(30, 60), random.int(35, 80))
  const hair = hsl(random.int(15, 40), random.int(15, 60), random.int(8, 60))
  const [cx, cy, rx, ry] = isClose ? [0.5, 0.22, 0.22, 0.2] : [0.5, 0.1, 0.19, 0.085]
  const [px, py, across, down] = [x + cx * w, y + cy * h, rx * w, ry * h]
  const head = `<ellipse cx="${px}" cy="${py}" rx="${across}" ry="${down}" fill="${skin}"/><path d="M${px - across} ${py} q0 ${-down * 1.25} ${across} ${-down * 1.25} q${across} 0 ${across} ${down * 1.25} q${-across * 0.4} ${-down * 0.6} ${-across} ${-down * 0.6} q${-across * 0.6} 0 ${-across} ${down * 0.6}z" fill="${hair}"/>`
  if (!isMirror) return head
  const wide = isClose ? w * 0.13 : w * 0.17
  const at = { x: px + across * (0.5 + random()), y: py + down * 0.6 }
  return `${head}<ellipse cx="${at.x + wide / 2}" cy="${at.y + wide * 1.5}" rx="${wide * 0.75}" ry="${wide * 0.7}" fill="${skin}"/><rect x="${at.x}" y="${at.y}" width="${wide}" height="${wide * 2}" rx="${wide * 0.16}" fill="#17181b"/><circle cx="${at.x + wide * 0.28}" cy="${at.y + wide * 0.3}" r="${wide * 0.12}" fill="#555"/>`
}

/** The camera is at nearly the same position, with a slightly different exposure. */
function shotAgain(picture, move, random) {
  const cut = (length) => Math.round(length * move * random())
  const [left, top, right, bottom] = [cut(picture.width), cut(picture.height), cut(picture.width), cut(picture.height)]
  const size = { left, top, width: picture.width - left - right, height: picture.height - top - bottom }
  const light = 0.92 + 0.16 * random()
  return pictureOf(
    pipeline(picture)
      .extract(size)
      .linear(light, 128 * (1 - light) + random.int(-6, 6)),
  )
}
