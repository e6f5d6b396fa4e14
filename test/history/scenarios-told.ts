// Short histories of what is told later, and of clocks that differ.

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
