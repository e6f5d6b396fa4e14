// Registers photographs, and queries edits of photographs one after the other.

import { percentile, progress } from '../report.mjs'
import { openEdits } from '../robustness/edits.mjs'

/** What hashes miss most often. */
const EDITS = [
  'crop_30',
  'emoji_20',
  'rot_3_fill',
  'screen_photo_bezel',
  'ss_story_cover',
  'un_story_reply',
  'un_phone_on_desk',
]
const WARM_UPS = 5

export async function registering(world, photos) {
  const [found, kept] = [[], []]
  for (const [i, photo] of photos.entries()) {
    const { foundMs, keptMs } = await world.register(photo.name, photo.read())
    if (i < WARM_UPS) continue
    found.push(foundMs)
    kept.push(keptMs)
  }
  return { registerMs: percentile(found, 0.5), registerMostMs: Math.max(...found), keepMs: percentile(kept, 0.5) }
}

/** @returns one edit of each photograph, all kinds in turn: `{ name, bytes }`. */
export async function edited(photos) {
  const layouts = new URL('../variants/unseen.mjs', import.meta.url).pathname
  const asked = []
  const draw = progress('editing', photos.length)
  for (const [i, photo] of photos.entries()) {
    const edits = await openEdits({ layouts, only: [EDITS[i % EDITS.length]], seed: '1' })
    for await (const { bytes } of edits.of(photo)) asked.push({ name: photo.name, bytes })
    draw(i + 1)
  }
  return asked
}

export async function lookups(world, asked) {
  const list = () => []
  const times = {
    featuresMs: list(),
    searchMs: list(),
    verifyMs: list(),
    allMs: list(),
    needles: list(),
    candidates: list(),
  }
  let [misses, falsely] = [0, 0]
  const known = new Set(asked.slice(0, asked.length / 2).map(({ name }) => name))
  for (const [i, query] of [...asked.slice(-WARM_UPS), ...asked].entries()) {
    const { views, ms } = await world.look(query.bytes)
    const { names, candidates, searchMs, verifyMs } = await world.find(views)
    if (i < WARM_UPS) continue
    const needles = 2 * views.reduce((sum, { features }) => sum + Math.min(150, features.length), 0)
    const own = { featuresMs: ms, searchMs, verifyMs, allMs: searchMs + verifyMs, needles, candidates }
    for (const [key, value] of Object.entries(own)) times[key].push(value)
    if (known.has(query.name) && !names.includes(query.name)) misses++
    if (names.some((name) => name !== query.name)) falsely++
    query.views = views
  }
  const summary = Object.entries(times).map(([key, values]) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    return [key, { p50: percentile(values, 0.5), mean, p90: percentile(values, 0.9) }]
  })
  return { times: Object.fromEntries(summary), misses, falsely }
}
