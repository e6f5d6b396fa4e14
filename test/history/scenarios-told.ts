// Short histories of what is told later, of many matches, and of clocks that differ.

import type { Chance } from '../fuzz/chance.js'
import { api, bank, count, inBank, inCase, interleaved, many, openCase, refs, remove } from './scenario-parts.js'
import type { Step } from './steps.js'

/** Pictures that somebody watches for are removed and registered again, while processes end. */
export function watchedAgain(chance: Chance): Step[] {
  const all = refs('b0', count(chance, 1, 3))
  const lives = all.map((ref): Step[] => [
    { do: 'watch', at: api(chance), hash: ref.hash },
    ...many(count(chance, 2, 3), (): Step[] => [
      { ...inBank(chance, ref), way: 'json' } as Step,
      { do: 'told', at: api(chance), ...ref },
      ...(chance.happens(0.2) ? [{ do: 'restart', api: api(chance) } as const] : []),
      ...(chance.happens(0.3) ? [{ do: 'watch', at: api(chance), hash: ref.hash } as const] : []),
      remove(chance, ref),
    ]).flat(),
  ])
  return [bank(chance, 'b0'), ...interleaved(chance, lives)]
}

/** A picture gets other hashes again and again, and fetchers fetch in between. */
export function fetchedChanging(chance: Chance): Step[] {
  const ref = { home: 'b0', hash: 'h0' }
  const rounds = many(count(chance, 3, 5), (): Step[] => [
    { do: 'change-picture', at: api(chance), hashes: count(chance, 60, 100), ...ref },
    { do: 'fetch', at: api(chance) },
    ...(chance.happens(0.2) ? [inBank(chance, { home: 'b0', hash: `n${chance.below(3)}` })] : []),
  ])
  return [
    bank(chance, 'b0'),
    { ...inBank(chance, ref), way: 'json' } as Step,
    { do: 'fetch', at: api(chance) },
    ...rounds.flat(),
    remove(chance, ref),
    { do: 'fetch', at: api(chance) },
  ]
}

const DAY_S = 86_400
const STEPS_S = [5, 90, 3600, 5 * 3600, DAY_S, 3 * DAY_S, 30 * DAY_S, 365 * DAY_S, 4 * 365 * DAY_S]

/** One API is ahead or behind, by seconds to years, and right again. Meanwhile deadlines run, and pictures come and go. */
export function clocksApart(chance: Chance): Step[] {
  const ref = { home: 'c0', hash: 'h0' }
  const wrong = api(chance)
  const step = (): Step => ({ do: 'step-clock', api: wrong, s: chance.oneOf(STEPS_S) * (chance.happens(0.6) ? 1 : -1) })
  const others = refs('b0', 2)
  const life = others.flatMap((other): Step[] => [
    inBank(chance, other),
    ...(chance.happens(0.5) ? [{ do: 'seen', at: api(chance), ...other } as const] : []),
    ...(chance.happens(0.5) ? [remove(chance, other)] : []),
  ])
  return [
    openCase(chance, 'c0'),
    bank(chance, 'b0'),
    inCase(chance, ref),
    { do: 'notice', at: api(chance), home: 'c0' },
    ...(chance.happens(0.5) ? [step()] : []),
    { do: 'seen', at: api(chance), ...ref },
    ...interleaved(chance, [many(count(chance, 1, 3), step), life]),
    { do: 'nothing-missed' },
    { do: 'step-clock', api: wrong, s: 0 },
    { do: 'nothing-missed' },
  ]
}

/** Matched by many at once, and what an operator does about it. */
export function flooded(chance: Chance): Step[] {
  const ref = { home: 'c0', hash: 'h0' }
  const after: Step = chance.oneOf([
    { do: 'release', at: api(chance), ...ref },
    { do: 'withdraw', at: api(chance), home: 'c0' },
  ])
  return [openCase(chance, 'c0'), inCase(chance, ref), { do: 'flood', at: api(chance), ...ref }, after]
}

/** A platform's endpoint refuses for minutes to days, while more is withdrawn than can wait for it, and processes end. */
export function endpointDown(chance: Chance): Step[] {
  const group = { home: 'b0', group: 'g0' }
  const cases = refs('', 3).map(({ hash }, i) => ({ home: `c${i}`, hash }))
  const deliver = (answers: boolean): Step => ({ do: 'deliver', s: chance.oneOf([5, 60, 3600, DAY_S, 4 * DAY_S]), answers })
  const removed = many(
    count(chance, 1, 3),
    (): Step => ({
      ...({ do: 'remove-some', at: api(chance), count: count(chance, 2, 12), ...group } as const),
    }),
  )
  const ended = cases.map(({ home }): Step[] => (chance.happens(0.6) ? [{ do: 'withdraw', at: api(chance), home }] : []))
  const beside: Step[] = [
    ...(chance.happens(0.3) ? [{ do: 'restart', api: api(chance) } as const] : []),
    ...(chance.happens(0.2) ? [{ do: 'kill-redis' } as const] : []),
  ]
  return [
    { do: 'subscribe' },
    bank(chance, 'b0'),
    ...cases.flatMap((ref) => [openCase(chance, ref.home), inCase(chance, ref)]),
    { do: 'import', at: api(chance), count: count(chance, 8, 30), ...group },
    { do: 'meet', at: api(chance) },
    ...interleaved(chance, [...ended, removed, many(count(chance, 1, 3), () => deliver(false)), beside]),
    ...(chance.happens(0.5) ? [deliver(chance.happens(0.7)), removed[0] ?? deliver(true)] : []),
    { do: 'all-told' },
  ]
}

/** Redis's clock is ahead of all others by seconds to days while pictures come and go, or was. */
export function redisAhead(chance: Chance): Step[] {
  const s = chance.oneOf(STEPS_S.filter((each) => each <= 30 * DAY_S))
  const isSetRight = chance.happens(0.5)
  const lives = many(3, (i): Step[] => [
    openCase(chance, `c${i}`),
    inCase(chance, { home: `c${i}`, hash: `h${i}` }),
    ...(chance.happens(0.7) ? [{ do: 'meet', at: api(chance) } as const] : []),
    ...(chance.happens(0.8) ? [{ do: 'withdraw', at: api(chance), home: `c${i}` } as const] : []),
  ])
  return [
    { do: 'subscribe' },
    isSetRight ? { do: 'redis-clock', s } : { do: 'pass-time', s: -s },
    ...interleaved(chance, lives),
    { do: 'all-told' },
  ]
}

/** Unlike pictures of a template match a picture, a few each day. On the first day one clock is ahead by a month. */
export function lookAlikesForWeeks(chance: Chance): Step[] {
  const ref = { home: 'c0', hash: 'p0' }
  const asked = (): Step => ({ do: 'look-alikes', at: api(chance), ...ref })
  const wrong = chance.oneOf([0, 1] as const)
  const [ahead, right] = chance.happens(0.5)
    ? [30 * DAY_S, 0].map((s): Step => ({ do: 'redis-clock', s }))
    : [30 * DAY_S, 0].map((s): Step => ({ do: 'step-clock', api: wrong, s }))
  return [
    openCase(chance, 'c0'),
    inCase(chance, ref),
    ...(ahead && right ? [ahead, { ...asked(), at: wrong } as Step, right] : []),
    ...many(count(chance, 4, 6), (): Step[] => [{ do: 'redis-days', days: count(chance, 1, 2) }, asked()]).flat(),
  ]
}
