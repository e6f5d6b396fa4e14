// Which registrations does the flood guard stop, how soon, and how many innocent uploads are flagged until then? Simulated traffic against the rules of
// src/domain/trust/flood.ts: no service, no clock, the same each time.
//
//   node bench/archive/floods.mjs [--runs N] [--seed S] [--json]
//
// An upload is a hash of 256 bits. Innocent uploads, which a false registration flags, are different pictures each: where they share an element, a
// mask, a form or a room with it, their whole hash is unlike it; where they share a template, a third of them are within `COPY_BITS`, as measured
// (decision 0122). Copies of a true picture are re-encoded or edited. An edit is shared by many uploads, or made for one. Re-encoding changes 0 to 4
// bits, a light edit stays within `COPY_BITS`, an overlay is between that and 31 bits, and a screenshot, crop or collage may be anywhere. Pictures
// found by one view alone, such as a logo or a crop, have that view: once it is stopped they are no longer found, and the day goes on.
//
// A video has 60 frames. An upload of it, a still or an excerpt, is found by one random frame, and looks like that frame in a shared edit or in its
// own. Innocent videos share one frame with it, a title or an end.
//
// Traffic is steady, a burst of two hours, or a ramp over a day, on one, two or three platforms. Platform k has 1/k of the traffic of the first. The
// guard runs once a minute; in the service once a second. Sketches are counted exactly; the store's estimate is off by one in a hundred.

import { parseArgs } from 'node:util'
import { COPY_BITS, isCopy } from '../../dist/packages/core/src/matching/copies.js'
import { distance } from '../../dist/packages/hash/src/hash256.js'
import { DETAILS_VIEW, FLOOD_RULES, floodAction } from '../../dist/src/domain/trust/flood.js'
import { wholeNumber } from '../service.mjs'
import { randomOf } from '../variants/random.mjs'
import { counted } from './floods/counted.mjs'
import { drawn, flipped, platformOf, poisson } from './floods/traffic.mjs'

const { values: args } = parseArgs({
  options: {
    runs: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
const RUNS = wholeNumber(args, 'runs')
const RULE = FLOOD_RULES['self-reported']
const NOTHING_SAID = { confirmations: 0, notBlocked: 0, disputes: 0 }
const _MINUTE_MS = 60_000
const DAY_MINUTES = 1440
/** A view such as a quarter: its position among the rows of the picture. */
const QUARTER = 5

/** Uploads in a minute, of all platforms. */
const TRAFFIC = {
  '100 an hour': () => 100 / 60,
  '1,000 an hour': () => 1000 / 60,
  '10,000 an hour, for 4 hours': (minute) => (minute < 240 ? 10_000 / 60 : 0),
  'burst, 1,000 an hour for 2 hours': (minute) => (minute < 120 ? 1000 / 60 : 0),
  'rises over a day to 1,000 an hour': (minute) => ((1000 / 60) * minute) / DAY_MINUTES,
}

/** What share of uploads is of each kind; `own`: what share of the edited ones is no edit that is passed on. */
const TRUE_PICTURES = {
  're-encoded only': { saved: 1, light: 0, overlay: 0, screen: 0, own: 0 },
  'mostly re-encoded': { saved: 0.6, light: 0.15, overlay: 0.1, screen: 0.15, own: 0.3 },
  'edited as the 70 edits are': { saved: 0.1, light: 0.34, overlay: 0.11, screen: 0.45, own: 0.3 },
  'an overlay and a screenshot alone, passed on': { saved: 0, light: 0, overlay: 0.5, screen: 0.5, own: 0.05 },
  'every copy edited on its own (narrowed)': { saved: 0, light: 0.2, overlay: 0.4, screen: 0.4, own: 0.8 },
  'crops of one quarter, passed on': { saved: 0, light: 0, overlay: 0, screen: 1, own: 0.05, views: [QUARTER] },
  'copies, and crops of one quarter': { saved: 0.5, light: 0.1, overlay: 0, screen: 0.4, own: 0.3, views: [QUARTER] },
  'each crop made separately (view stopped)': { saved: 0, light: 0, overlay: 0, screen: 1, own: 0.8, views: [QUARTER] },
}
/**
 * `near`: is it the whole that is alike? `copies`: what share lies so near that it passes for a copy. `views`: those that alone decide, each as often;
 * none where several do. `saved`: what share of the uploads are copies of the picture, whose decoration is in the others.
 */
const FALSE_REGISTRATIONS = {
  'element, mask, form or room': { near: false, copies: 0 },
  'logo or banner in one view': { near: false, copies: 0, views: [QUARTER] },
  'logo, found by details': { near: false, copies: 0, views: [DETAILS_VIEW] },
  'logo in one view, as many copies': { near: false, copies: 0, views: [QUARTER], saved: 0.5 },
  'mask, one of four views each': { near: false, copies: 0, views: [1, 2, 3, 4] },
  'template, other words': { near: true, copies: 1 / 3 },
  'template, most the same (mostly stays)': { near: true, copies: 0.6 },
}
const FRAMES = 60
const TRUE_VIDEOS = {
  'one edited copy, by its stills': { edits: 1, own: 0 },
  'ten edits that are passed on': { edits: 10, own: 0 },
  'ten edits, and one copy in ten edited on its own': { edits: 10, own: 0.1 },
}
const FALSE_VIDEOS = {
  'a title or an end that innocent videos share': { edits: 0, own: 1 },
}
const PLATFORMS = [1, 2, 3]

const results = {
  false: table(FALSE_REGISTRATIONS, innocentUploads),
  true: table(TRUE_PICTURES, copiesOf),
  falseVideos: table(FALSE_VIDEOS, framesSeen),
  trueVideos: table(TRUE_VIDEOS, framesSeen),
  attack: attack(),
}
if (args.json) console.log(JSON.stringify(results))
else print()

/** Of each kind, on so many platforms, in each traffic: how many runs were stopped, when, and how many uploads had been told to match by then. */
function table(kinds, uploadsOf) {
  return Object.entries(kinds).flatMap(([kind, shares]) =>
    Object.entries(TRAFFIC).flatMap(([traffic, perMinute]) =>
      PLATFORMS.map((platforms) => {
        const runs = Array.from({ length: RUNS }, (_, run) =>
          stopped(perMinute, platforms, uploadsOf(shares, randomOf(`${args.seed} ${kind} ${traffic} ${platforms} ${run}`))),
        )
        const ends = runs.filter(({ becomes }) => becomes !== undefined).sort((a, b) => a.minutes - b.minutes)
        const middle = ends[ends.length >> 1]
        return {
          kind,
          traffic,
          platforms,
          runs: RUNS,
          narrowed: ends.filter(({ becomes }) => becomes === 'narrowed').length,
          held: ends.filter(({ becomes }) => becomes === 'held').length,
          viewStopped: runs.filter(({ views }) => views > 0).length,
          minutes: middle?.minutes,
          uploads: middle?.uploads,
        }
      }),
    ),
  )
}

/** For a day, minute by minute. */
function stopped(perMinute, platforms, { next, random }, said = NOTHING_SAID) {
  const seen = counted(platforms)
  const views = []
  let [all, minutes, uploads] = [0, undefined, undefined]
  for (let minute = 0; minute < DAY_MINUTES; minute++) {
    for (let i = poisson(perMinute(minute), random); i > 0; i--) {
      const upload = next()
      const platform = platformOf(platforms, random)
      if (views.includes(upload.view)) continue
      seen.note(upload, platform)
      all++
    }
    const flood = floodAction(RULE, seen.at(minute), said, 0, views)
    if (flood === undefined || flood.becomes === 'reported') continue
    minutes ??= minute + 1
    uploads ??= all
    if (flood.becomes !== 'view-stopped') return { becomes: flood.becomes, views: views.length, minutes, uploads }
    views.push(flood.view)
  }
  return { becomes: views.length > 0 ? 'view-stopped' : undefined, views: views.length, minutes, uploads }
}

function innocentUploads({ near, copies, views, saved = 0 }, random) {
  const registered = drawn(random)
  return {
    random,
    next() {
      if (saved > 0 && random() < saved) return { isNear: true, hash: registered }
      if (!near) return { isNear: false, hash: drawn(random), view: views && random.pick(views) }
      const bits = random() < copies ? random.int(2, COPY_BITS) : random.int(COPY_BITS + 1, 31)
      return asFound(registered, flipped(registered, bits, random))
    },
  }
}

function copiesOf({ saved, light, overlay, own, views }, random) {
  const registered = drawn(random)
  const edits = { light: [], overlay: [], screen: [] }
  const edited = {
    light: () => flipped(registered, random.int(2, COPY_BITS - 4), random),
    overlay: () => flipped(registered, random.int(COPY_BITS + 4, 28), random),
    screen: () => drawn(random),
  }
  const editOf = (kind) => {
    const known = edits[kind]
    if (known.length === 0 || random() < own) {
      known.push(edited[kind]())
      return known.at(-1)
    }
    return known[Math.floor(known.length * random() ** 2)] // the earlier ones are passed on more often
  }
  return {
    random,
    next() {
      const at = random()
      const kind =
        at < saved ? undefined : at < saved + light ? 'light' : at < saved + light + overlay ? 'overlay' : 'screen'
      const from = kind === undefined ? registered : editOf(kind)
      const hash = flipped(from, random.int(0, 4), random)
      return kind === 'screen' ? { isNear: false, hash, view: views && random.pick(views) } : asFound(registered, hash)
    },
  }
}

/** Uploads of a video, all farther than copies. Without edits each is another one, and all are found by one frame. */
function framesSeen({ edits, own }, random) {
  const frames = Array.from({ length: edits === 0 ? 1 : FRAMES }, () => drawn(random))
  const known = Array.from({ length: edits }, () => frames.map((hash) => flipped(hash, 24, random)))
  return {
    random,
    next() {
      const frame = Math.floor(random() * frames.length)
      const passedOn = known[Math.floor(random() * edits)]?.[frame]
      const isOwn = passedOn === undefined || random() < own
      const hash = isOwn ? flipped(frames[frame], 24, random) : flipped(passedOn, random.int(0, 4), random)
      return { isNear: false, hash, frame: frame + 1 }
    },
  }
}

function asFound(registered, hash) {
  return { isNear: isCopy({ signalType: 'pdq', distanceBits: distance(registered, hash) }), hash }
}

/** Two hostile keys query what they like and block nothing: once while nobody shares the picture, once while copies reach a third platform. */
function attack() {
  return ['two keys', 'two keys, and 300 copies an hour on a third platform'].map((name) => {
    const random = randomOf(`${args.seed} ${name}`)
    const uploads = innocentUploads({ near: false, copies: 0 }, random)
    const seen = counted(3)
    const becomes = new Set()
    for (let minute = 0; minute < DAY_MINUTES; minute++) {
      for (let i = 0; i < 200; i++) seen.note(uploads.next(), i % 2)
      if (name !== 'two keys' && minute % 10 === 0) for (let i = 0; i < 50; i++) seen.note({ isNear: true }, 2)
      const flood = floodAction(RULE, seen.at(minute), { confirmations: 0, notBlocked: 2, disputes: 0 }, 0)
      if (flood !== undefined) becomes.add(flood.becomes)
    }
    return { name, becomes: [...becomes] }
  })
}

function print() {
  for (const [what, rows] of Object.entries({
    'False registrations': results.false,
    'True pictures that are passed around': results.true,
    'False videos': results.falseVideos,
    'True videos that are passed around': results.trueVideos,
  })) {
    console.log(
      `${what}: of ${RUNS} runs how many were narrowed within a day (v: had a view stopped), then minutes and uploads until the first (medians); by platforms`,
    )
    const held = rows.reduce((sum, row) => sum + row.held, 0)
    if (held > 0) console.log(`  ${held} were held`)
    for (const kind of new Set(rows.map((row) => row.kind))) {
      console.log(`  ${kind}`)
      for (const traffic of Object.keys(TRAFFIC)) {
        const own = rows.filter((row) => row.kind === kind && row.traffic === traffic)
        const said = own.map(({ platforms, narrowed, viewStopped, minutes, uploads }) => {
          const when = minutes === undefined ? '' : `, ${minutes} min, ${uploads}`
          const ofViews = viewStopped === 0 ? '' : ` v${viewStopped}`
          return `${platforms}: ${narrowed}${ofViews}${when}`.padEnd(26)
        })
        console.log(`    ${traffic.padEnd(34)} ${said.join(' ')}`.trimEnd())
      }
    }
  }
  console.log('Two keys that send 200 unlike uploads a minute for a day, and let all stand:')
  for (const { name, becomes } of results.attack) console.log(`  ${name.padEnd(48)} ${becomes.join(', ')}`)
}
