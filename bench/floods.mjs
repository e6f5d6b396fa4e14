// Whom does the flood guard hold, and how soon? Traffic that is made up and stated, against the rules as they are (src/domain/flood.ts): no service,
// no clock, the same each time.
//
//   npm run bench:floods [-- --signals N] [--days D] [--seed S] [--json]
//
// Ten platforms of unlike size (the k-th meets 1/k of what the first meets) ask by day and night, each independently. A true picture is quiet,
// passed around, or goes through the net once for some hours. Where platforms decide, each does with half of what it meets, an hour after it first
// met it, and blocks 19 of 20: two that block confirm a signal, and what is confirmed is not held. A false report is of a harmless picture that everybody
// passes around: it matches from its first second on as often as it ever will.

import { parseArgs } from 'node:util'
import { FLOOD_RULES, floodNow, USUAL_HOURS } from '../dist/src/domain/flood.js'
import { tierOf } from '../dist/src/domain/tier.js'
import { wholeNumber } from './service.mjs'

const { values: args } = parseArgs({
  options: {
    signals: { type: 'string', default: '300' },
    days: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
const SIGNALS = wholeNumber(args, 'signals')
const HOURS = 24 * wholeNumber(args, 'days')
const PLATFORMS = 10
const WEIGHTS = Array.from({ length: PLATFORMS }, (_, k) => 1 / (k + 1))
const ALL = WEIGHTS.reduce((sum, weight) => sum + weight, 0)
const random = randomFrom(wholeNumber(args, 'seed'))

/** Matches an hour, of all platforms together. */
const TRUE_PICTURES = {
  quiet: () => () => 0.05,
  'passed around': () => () => 5,
  'much passed around': () => () => 50,
  'once through the net, 500 an hour': () => surge(500),
  'once through the net, 5,000 an hour': () => surge(5000),
}
const SURGE_HOURS = 8
const BLOCKS = 0.95
const DECIDES = 0.5

/** A day's quiet, then a rise and a fall over some hours, at a time of its own. */
function surge(peak) {
  const begins = 24 + Math.floor(random() * (HOURS - 24 - SURGE_HOURS))
  return (hour) => {
    const into = (hour - begins + 0.5) / SURGE_HOURS
    return into > 0 && into < 1 ? peak * Math.sin(Math.PI * into) ** 2 : 0.5
  }
}

/** @returns the hour in which it is held, or undefined. */
function held(registered, rateAt, isDecided) {
  const past = []
  const decidesAt = Array.from({ length: PLATFORMS }, () => undefined)
  for (let hour = 0; hour < HOURS; hour++) {
    const rate = rateAt(hour)
    const hits = WEIGHTS.map((weight) => poisson((rate * weight) / ALL))
    for (const [k, count] of hits.entries()) if (count > 0) decidesAt[k] ??= hour + 1
    const said = { verifications: 0, attestations: 0, confirmations: 0, refusals: 0 }
    if (isDecided)
      for (const [k, at] of decidesAt.entries()) {
        if (at === undefined || at > hour || verdicts[k] === undefined) continue
        said[verdicts[k]]++
      }
    const rule = FLOOD_RULES[tierOf(registered, said)]
    const met = hits.filter((count) => count > 0)
    if (met.length > 0) {
      if (rule.holds && floodNow(rule, met, past, 0) > 0) return hour
      past.unshift(met)
    } else past.unshift([])
    past.length = Math.min(past.length, USUAL_HOURS)
  }
  return undefined
}
let verdicts = []

/** Seconds until a false report is held; the guard looks once a second. */
function noticedAfterS(perHour, platforms) {
  const weights = WEIGHTS.slice(0, platforms)
  const all = weights.reduce((sum, weight) => sum + weight, 0)
  const hits = weights.map(() => 0)
  for (let second = 1; second <= 3600; second++) {
    for (const [k, weight] of weights.entries()) hits[k] += poisson((perHour * weight) / all / 3600)
    const met = hits.filter((count) => count > 0)
    if (floodNow(FLOOD_RULES['self-reported'], met, [], 0) > 0) return second
  }
  return undefined
}

const honest = []
for (const [name, rates] of Object.entries(TRUE_PICTURES)) {
  for (const registered of ['self-reported', 'ngo-attested']) {
    for (const isDecided of [false, true]) {
      let count = 0
      for (let k = 0; k < SIGNALS; k++) {
        verdicts = WEIGHTS.map(() => (random() >= DECIDES ? undefined : random() < BLOCKS ? 'confirmations' : 'refusals'))
        if (held(registered, rates(), isDecided) !== undefined) count++
      }
      honest.push({ picture: name, registered, decided: isDecided, held: count, of: SIGNALS })
    }
  }
}
const floods = []
for (const perHour of [300, 1000, 10_000, 100_000]) {
  for (const platforms of [2, 3, 5, 10]) {
    const times = Array.from({ length: 200 }, () => noticedAfterS(perHour, platforms)).sort(
      (a, b) => (a ?? 1e9) - (b ?? 1e9),
    )
    floods.push({ perHour, platforms, medianS: times[100], heldShare: times.filter((s) => s !== undefined).length / 200 })
  }
}
if (args.json) console.log(JSON.stringify({ signals: SIGNALS, hours: HOURS, honest, floods }))
else {
  console.log(`True pictures held in ${HOURS / 24} days, of ${SIGNALS} each:`)
  for (const { picture, registered, decided, held: count } of honest)
    console.log(
      `  ${picture.padEnd(38)} ${registered.padEnd(14)} ${decided ? 'platforms decide' : 'nobody decides  '} ${count}`,
    )
  console.log('False reports of what everybody passes around:')
  for (const { perHour, platforms, medianS, heldShare } of floods)
    console.log(
      `  ${String(perHour).padStart(7)} an hour on ${String(platforms).padStart(2)} platforms: ` +
        (medianS === undefined
          ? `held in ${heldShare * 100} % within the hour`
          : `held after ${medianS} s (median), ${heldShare * 100} % within the hour`),
    )
}

function poisson(mean) {
  if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()))
  const limit = Math.exp(-mean)
  let count = 0
  for (let product = random(); product > limit; product *= random()) count++
  return count
}

function normal() {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** mulberry32 */
function randomFrom(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
