// Figures and goals of the phases of the mixed load.

import { goal } from '../http/record.mjs'
import { percentile } from '../report.mjs'
import { SHARES } from './mix.mjs'

const WINDOW_MS = 500
/** A window counts as late when more than this share of its answers is late. */
const LATE_SHARE = 0.05
/** Windows in a row (five seconds) without a late one that count as normal. Single late ones occur at half the load as well. */
const WINDOWS_ON_END = 10

/** Admission lets a burst in until a queue has been long for some time. Figures of the settled state leave that out. */
const SETTLED_AFTER_MS = 2000

const BULK = Object.keys(SHARES)

/** The figures of a phase. */
export function summary({ name, kinds, wallMs, samples, delays, late }) {
  const all = Object.values(kinds)
  const sum = (field) => all.reduce((total, own) => total + own[field], 0)
  const bulk = BULK.flatMap((kind) => [...kinds[kind].times])
  return {
    name,
    answered: bulk.length,
    perS: (1000 * bulk.length) / wallMs,
    refused: all.reduce((total, own) => total + own.refusedAtMs.length, 0),
    people: kinds.person.times.length,
    peopleRefused: kinds.person.refusedAtMs.length,
    withoutRetryAfter: sum('withoutRetryAfter'),
    unsent: sum('unsent'),
    brokenOff: sum('brokenOff'),
    wrong: sum('wrong'),
    ...percentiles(bulk),
    kinds: Object.fromEntries(
      Object.entries(kinds).map(([kind, { times, atMs }]) => [
        kind,
        {
          ...percentiles(times),
          settledP99Ms: percentile(
            times.filter((_, i) => atMs[i] > SETTLED_AFTER_MS),
            0.99,
          ),
        },
      ]),
    ),
    refusedBy: sumUp(all.map((own) => own.refusedBy)),
    oldestPictureS: Math.max(0, ...samples.map(({ oldestS }) => oldestS)),
    delays,
    late,
  }
}

function sumUp(counts) {
  const sums = {}
  for (const count of counts) for (const [code, number] of Object.entries(count)) sums[code] = (sums[code] ?? 0) + number
  return sums
}

function textOf(counts) {
  return Object.entries(counts)
    .map(([code, number]) => `${number.toLocaleString('en')} ${code}`)
    .join(', ')
}

/** Requests of the whole mixture answered a second. Refusals change the mixture, so the kind answered least by its share counts. */
export function wholePerS({ kinds, wallMs }) {
  return Math.min(...BULK.map((kind) => (1000 * kinds[kind].times.length) / wallMs / (SHARES[kind] / 100)))
}

function percentiles(times) {
  if (times.length === 0) return {}
  return { p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99), p999Ms: percentile(times, 0.999) }
}

export function partLines({ alone, together }) {
  const line = (what, phase) => {
    const { perS, p50Ms, p99Ms, refused } = summary(phase)
    return { what, 'answered a second': perS, 'p50 ms': p50Ms, 'p99 ms': p99Ms, refused }
  }
  return [...Object.entries(alone).map(([kind, phase]) => line(`${kind} alone`, phase)), line('together', together)]
}

export function phaseLines(phases) {
  return phases.map((phase) => {
    const { name, perS, refusedBy, people, peopleRefused, unsent, brokenOff, oldestPictureS, delays, late } = summary(phase)
    return {
      phase: name,
      'answered a second': perS,
      'refused with 503': textOf(refusedBy),
      'not sent': unsent,
      'broken off': brokenOff,
      people,
      'people refused': peopleRefused,
      'oldest picture s': oldestPictureS,
      'event loop p99 ms': delays.p99Ms,
      'event loop longest ms': delays.maxMs,
      'client sent late p99 ms': late?.sentP99Ms,
      'client event loop p99 ms': late?.readP99Ms,
    }
  })
}

export function kindLines(phases) {
  return phases.flatMap((phase) => {
    const { name, kinds } = summary(phase)
    return Object.entries(kinds).map(([kind, { p50Ms, p99Ms, p999Ms, settledP99Ms }]) => ({
      phase: name,
      kind,
      answered: phase.kinds[kind].times.length,
      refused: phase.kinds[kind].refusedAtMs.length,
      'p50 ms': p50Ms,
      'p99 ms': p99Ms,
      'p99.9 ms': p999Ms,
      'p99 ms after 2 s': settledP99Ms,
    }))
  })
}

/** Of each kind: p99 at each bearable load and at overload, and their ratio. */
export function curveLines(borne, overload) {
  const over = summary(overload)
  return BULK.map((kind) => {
    const overMs = over.kinds[kind].settledP99Ms
    const line = { kind, [over.name]: overMs }
    for (const { name, kinds } of borne.map(summary)) {
      line[name] = kinds[kind].settledP99Ms
      line[`${over.name} / ${name}`] = overMs / kinds[kind].settledP99Ms
    }
    return line
  })
}

export function goalLines({ alone, together, normal, overload, after }) {
  const parts = BULK.reduce((sum, kind) => sum + SHARES[kind] / 100 / summary(alone[kind]).perS, 0)
  const [usual, over] = [summary(normal), summary(overload)]
  const late = (kind) => over.kinds[kind].settledP99Ms / usual.kinds[kind].settledP99Ms
  return [
    goal('rate expected from each kind alone / rate together', 1 / parts / wholePerS(together), 1.43, ''),
    ...BULK.map((kind) => goal(`p99 of admitted requests (${kind}) after the first 2 s, 3 times / half`, late(kind), 2, '')),
    goal('refusals without Retry-After', over.withoutRetryAfter, 0, ''),
    goal('people refused', over.peopleRefused, 0, ''),
    goal('until five normal seconds in a row', backAfterMs(after, usual) / 1000, 5, ' s'),
  ]
}

/** Time until the first normal windows in a row; the whole phase where there are none. */
function backAfterMs(phase, usual) {
  const unusual = unusualWindows(phase, usual)
  const back = unusual.findIndex(
    (_, i) => i + WINDOWS_ON_END <= unusual.length && !unusual.slice(i, i + WINDOWS_ON_END).includes(true),
  )
  return (back === -1 ? unusual.length : back) * WINDOW_MS
}

/** For each window: whether anything was refused, or too many answers took over twice the p99 at half the load. */
function unusualWindows({ kinds, wallMs }, usual) {
  const windows = Array.from({ length: Math.ceil(wallMs / WINDOW_MS) }, () => ({ answered: 0, late: 0, refused: 0 }))
  for (const kind of BULK) {
    const lateMs = 2 * usual.kinds[kind].p99Ms
    kinds[kind].atMs.forEach((atMs, i) => {
      const window = windows[Math.floor(atMs / WINDOW_MS)]
      window.answered++
      if (kinds[kind].times[i] > lateMs) window.late++
    })
    for (const atMs of kinds[kind].refusedAtMs) windows[Math.floor(atMs / WINDOW_MS)].refused++
  }
  return windows.map(({ answered, late, refused }) => refused > 0 || late > LATE_SHARE * answered)
}

/** Late windows of both phases at half the load. Those before the overload show how many are not due to it. */
export function backLines({ normal, after }) {
  const usual = summary(normal)
  return [normal, after].map((phase) => {
    const unusual = unusualWindows(phase, usual)
    const atS = unusual.flatMap((is, i) => (is ? [(i * WINDOW_MS) / 1000] : []))
    return { phase: phase.name, 'half seconds': unusual.length, late: atS.length, 'at s': atS.join(', ') }
  })
}
