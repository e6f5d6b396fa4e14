// Short histories with random parts: each begins where a promise is at stake, and continues in random order.

import { DISPUTE_REASONS } from '../../src/domain/trust/trust.js'
import type { Chance } from '../fuzz/chance.js'
import {
  api,
  bank,
  count,
  inBank,
  inCase,
  interleaved,
  judged,
  many,
  named,
  openCase,
  refs,
  remove,
} from './scenario-parts.js'
import {
  clocksApart,
  endpointDown,
  fetchedChanging,
  flooded,
  lookAlikesForWeeks,
  redisAhead,
  watchedAgain,
} from './scenarios-told.js'
import type { Api, Episode, Group, Step } from './steps.js'
import { uniformSteps } from './uniform.js'

export interface Scenario {
  readonly name: string
  readonly group: Group
  readonly world: Episode['world']
  /** How often it comes in a round of all. */
  readonly weight: number
  readonly steps: (chance: Chance) => Step[]
}

/** Paused until nearly the same time; meanwhile some are judged, removed or registered again. */
function pausedTogether(chance: Chance): Step[] {
  const all = refs('b0', count(chance, 2, 5))
  const forS = count(chance, 20, 60)
  const paused = all.map(
    (ref, i): Step => ({ do: 'pause', at: api(chance), forS: forS + (chance.happens(0.5) ? i : 0), ...ref }),
  )
  const meanwhile = all.flatMap((ref): Step[][] => {
    if (chance.happens(0.5)) return []
    return [
      chance.happens(0.6)
        ? judged(chance, ref, 'upheld', 'other')
        : chance.oneOf([[remove(chance, ref)], [inBank(chance, ref)]]),
    ]
  })
  return [
    bank(chance, 'b0'),
    ...all.map((ref) => inBank(chance, ref)),
    ...paused,
    ...interleaved(chance, meanwhile),
    { do: 'pass-time', s: forS + all.length + 10 },
  ]
}

/** A submitter withdraws what was judged, or is being judged. */
function judgedThenWithdrawn(chance: Chance): Step[] {
  const ref = { home: 'c0', hash: named(chance, 0) }
  const reason = chance.happens(0.7) ? 'harmless-content' : chance.oneOf(DISPUTE_REASONS)
  return [
    openCase(chance, 'c0'),
    inCase(chance, ref),
    ...judged(chance, ref, chance.happens(0.8) ? 'upheld' : 'rejected', reason),
    { do: chance.happens(0.8) ? 'withdraw' : 'expire', at: api(chance), home: 'c0' },
    { do: 'appeal', at: api(chance), ...ref },
  ]
}

/** One video in two cases: both are judged, held and vouched for, and one or both come to their end, while processes end. */
function videoOfTwo(chance: Chance): Step[] {
  const cases = many(2, (i) => ({ home: `c${i}`, hash: 'v0' }))
  const lives = cases.map((ref): Step[] => [
    openCase(chance, ref.home),
    inCase(chance, ref),
    ...(chance.happens(0.5) ? [{ do: 'attest', at: api(chance), ...ref } as const] : []),
    ...(chance.happens(0.5) ? [{ do: 'verify', at: api(chance), ...ref } as const] : []),
    ...(chance.happens(0.6)
      ? [{ do: 'hold', at: api(chance), ...ref } as const, { do: 'release', at: api(chance), ...ref } as const]
      : []),
    ...(chance.happens(0.3) ? judged(chance, ref, chance.oneOf(['upheld', 'rejected']), 'other') : []),
    ...(chance.happens(0.3) ? [{ do: 'reinstate', at: api(chance), ...ref } as const] : []),
    ...(chance.happens(0.7)
      ? [{ do: chance.happens(0.7) ? 'withdraw' : 'expire', at: api(chance), home: ref.home } as const]
      : []),
  ])
  const beside: Step[] = [
    ...(chance.happens(0.4) ? [{ do: 'restart', api: api(chance) } as const] : []),
    ...(chance.happens(0.3) ? [{ do: 'cold-start', api: api(chance) } as const] : []),
    ...(chance.happens(0.2) ? [{ do: 'kill-redis' } as const] : []),
  ]
  return interleaved(chance, [...lives, beside])
}

/** Some cases expire and others do not, while a worker's clock is ahead and processes end. */
function expired(chance: Chance): Step[] {
  const cases = many(count(chance, 2, 3), (i) => ({ home: `c${i}`, hash: named(chance, i % 2) }))
  const lives = cases.map((ref): Step[] => [
    openCase(chance, ref.home),
    inCase(chance, ref),
    ...(chance.happens(0.3) ? [{ do: 'hold', at: api(chance), ...ref } as const] : []),
    ...(chance.happens(0.6) ? [{ do: 'expire', at: api(chance), home: ref.home } as const] : []),
    ...(chance.happens(0.3) ? [inCase(chance, { home: ref.home, hash: 'late' })] : []),
  ])
  const beside = interleaved(chance, [
    many(count(chance, 1, 2), (): Step => ({ do: 'sweep-ahead', days: chance.oneOf([1, 400, 4000]) })),
    chance.happens(0.3) ? [{ do: 'restart', api: api(chance) }] : [],
    chance.happens(0.2) ? [{ do: 'kill-redis' }] : [],
  ])
  return interleaved(chance, [...lives, beside])
}

/** Registered more than once, with more or less support, with acts in between. */
function handedInAgain(chance: Chance): Step[] {
  const ref = { home: 'b0', hash: 'h0' }
  const between = interleaved(chance, [
    chance.happens(0.3) ? [{ do: 'dispute', at: api(chance), by: 'platform', reason: 'other', ...ref }] : [],
    chance.happens(0.2) ? [{ do: 'attest', at: api(chance), ...ref }] : [],
    chance.happens(0.2) ? [{ do: 'verify', at: api(chance), ...ref }] : [],
    chance.happens(0.2) ? [{ do: 'restart', api: api(chance) }] : [],
  ])
  const again = many(count(chance, 1, 2), () => inBank(chance, ref, chance.happens(0.8)))
  return [bank(chance, 'b0'), inBank(chance, ref, chance.happens(0.3)), ...between, ...again]
}

/** Withdrawn while it matches nothing. */
function takenBackWhileHeld(chance: Chance): Step[] {
  const isStopNcii = chance.happens(0.6)
  const ref = { home: isStopNcii ? 'stopncii' : 'b0', hash: 'h0' }
  const begun: Step[] = isStopNcii
    ? [{ do: 'submit', at: api(chance), hash: 'h0' }]
    : [bank(chance, 'b0'), inBank(chance, ref)]
  const silenced: Step = chance.oneOf([
    { do: 'hold', at: api(chance), ...ref },
    { do: 'pause', at: api(chance), forS: chance.oneOf([0, 30]), ...ref },
    { do: 'flood', at: api(chance), ...ref },
  ])
  const takenBack: Step = isStopNcii ? { do: 'take-back', at: api(chance), hash: 'h0' } : remove(chance, ref)
  return [
    ...begun,
    ...(chance.happens(0.9) ? [silenced] : []),
    takenBack,
    { do: 'release', at: api(chance), ...ref },
    { do: 'unpause', at: api(chance), ...ref },
    { do: 'pass-time', s: 40 },
  ]
}

/** Two parties that may keep a signal from matching, in any order. */
function heldByTwo(chance: Chance): Step[] {
  const ref = { home: 'b0', hash: 'h0' }
  const forS = chance.oneOf([0, 0, 20])
  const owner: Step[] = [{ do: 'pause', at: api(chance), forS, ...ref }]
  if (chance.happens(0.7)) owner.push(forS === 0 ? { do: 'unpause', at: api(chance), ...ref } : { do: 'pass-time', s: 30 })
  const operator: Step[] = [{ do: 'hold', at: api(chance), ...ref }]
  if (chance.happens(0.7)) operator.push({ do: 'release', at: api(chance), ...ref })
  return [bank(chance, 'b0'), inBank(chance, ref), ...interleaved(chance, [owner, operator])]
}

/** A reversed export withdraws what it shows, whatever happened meanwhile. */
function exportedAndReversed(chance: Chance): Step[] {
  const all = refs('b0', count(chance, 1, 4))
  const threads = all.map((ref): Step[] => [
    inBank(chance, ref, chance.happens(0.8)),
    ...(chance.happens(0.5) ? [{ do: 'note', at: api(chance), text: `note ${chance.below(1000)}`, ...ref } as const] : []),
    ...(chance.happens(0.2) ? [{ do: 'pause', at: api(chance), forS: 0, ...ref } as const] : []),
    ...(chance.happens(0.2) ? [{ do: 'hold', at: api(chance), ...ref } as const] : []),
  ])
  return [bank(chance, 'b0'), ...interleaved(chance, threads), { do: 'reverse-export', at: api(chance), home: 'b0' }]
}

/** The same file again and again, during queries. */
function importedAgain(chance: Chance): Step[] {
  const group = { home: 'b0', group: 'g0' }
  return [
    bank(chance, 'b0'),
    { do: 'import', at: api(chance), count: count(chance, 500, 6000), ...group },
    ...(chance.happens(0.3)
      ? [{ do: 'remove-some', at: api(chance), count: count(chance, 1, 100), ...group } as const]
      : []),
    { do: 'import-again', at: api(chance), times: count(chance, 1, 4), ...group },
    ...(chance.happens(0.5)
      ? [{ do: 'remove-some', at: api(chance), count: count(chance, 1, 100), ...group } as const]
      : []),
  ]
}

/** A bank is removed and its name reused, while one process is slower than the other. */
function renewedBank(chance: Chance): Step[] {
  const all = refs('b0', count(chance, 0, 3))
  const slow = api(chance)
  const renewals = many(count(chance, 1, 3), (): Step => ({ do: 'renew-bank', at: slow === 0 ? 1 : 0, home: 'b0' }))
  return [
    bank(chance, 'b0'),
    ...all.map((ref) => inBank(chance, ref)),
    { do: 'slow', api: slow, ms: chance.oneOf([0, 10, 25, 50]) },
    ...renewals.flatMap((renewal, i) => [renewal, inBank(chance, { home: 'b0', hash: `n${i}` })]),
    { do: 'slow', api: slow, ms: 0 },
  ]
}

/** Snapshots that are written during an import, and what a process that starts from one knows of withdrawals made then. */
function snapshotDuringImport(chance: Chance): Step[] {
  const group = { home: 'b0', group: 'g0' }
  const at = api(chance)
  const tries = many(2, (): Step[] => {
    const left = count(chance, 2, 100)
    const imported = left + count(chance, 0, 200)
    return [
      { do: 'fill-page', at, left, ...group },
      { do: 'import-at-snapshot', at, count: imported, delayMs: chance.oneOf([0, 0, 0, 5, 20]), ...group },
      { do: 'remove-some', at, count: 30, ...group },
      // Once more, from the same point.
      { do: 'remove-last', at, count: imported + 100, ...group },
      { do: 'cold-start', api: at },
    ]
  })
  return [bank(chance, 'b0'), ...tries.flat()]
}

/** Changes are made, the machine is lost, and a backup is restored. */
function restoredBackup(chance: Chance): Step[] {
  const group = { home: 'b0', group: 'g0' }
  const cases = many(count(chance, 1, 3), (i) => ({ home: `c${i}`, hash: named(chance, i) }))
  const before = cases.map((ref): Step[] => [openCase(chance, ref.home), inCase(chance, ref)])
  const imported: Step[] = [bank(chance, 'b0'), { do: 'import', at: api(chance), count: 500, ...group }]
  const full: Step = { do: 'fill-disk', disk: 'withdrawals' }
  const [isFull, isLate] = [chance.happens(0.6), chance.happens(0.3)]
  const withdrawn = cases.map((ref): Step[] =>
    chance.happens(0.6) ? [{ do: chance.happens(0.7) ? 'withdraw' : 'expire', at: api(chance), home: ref.home }] : [],
  )
  const after = interleaved(chance, [
    ...withdrawn,
    chance.happens(0.8) ? [{ do: 'remove-some', at: api(chance), count: count(chance, 5, 400), ...group }] : [],
    chance.happens(0.3) ? [inBank(chance, { home: 'b0', hash: 'late' })] : [],
    isFull && isLate ? [full] : [],
  ])
  return [
    ...interleaved(chance, [...before, imported]),
    ...(chance.happens(0.3) ? [{ do: 'restart', api: api(chance) } as const] : []),
    { do: 'back-up' },
    inBank(chance, { home: 'b0', hash: 'x' }),
    remove(chance, { home: 'b0', hash: 'x' }),
    ...(isFull && !isLate ? [full] : []),
    ...after,
    { do: 'restore' },
    { do: 'free-disk', disk: 'withdrawals' },
  ]
}

/** A change that the APIs have and the next master lacks; one API may be suspended while the other goes on. */
function divergedReplica(chance: Chance): Step[] {
  const cases = many(2, (i) => ({ home: `c${i}`, hash: named(chance, i) }))
  const lost = many(count(chance, 1, 2), (i) => inBank(chance, { home: 'b0', hash: `lost${i}` }))
  const stands = api(chance)
  const at: Api = stands === 0 ? 1 : 0
  const after = cases.map((ref): Step[] => (chance.happens(0.9) ? [{ do: 'withdraw', at, home: ref.home }] : []))
  return [
    ...interleaved(chance, [...cases.map((ref) => [openCase(chance, ref.home), inCase(chance, ref)]), [bank(chance, 'b0')]]),
    { do: 'lose-replica' },
    ...lost,
    ...(chance.happens(0.8) ? [{ do: 'stop', api: stands } as const] : []),
    { do: 'fail-over' },
    ...interleaved(chance, [...after, chance.happens(0.5) ? [inBank(chance, { home: 'b0', hash: 'after' })] : []]),
    { do: 'go-on', api: stands },
    ...(chance.happens(0.3) ? [{ do: 'restart', api: stands } as const] : []),
  ]
}

export const SCENARIOS: readonly Scenario[] = [
  { name: 'paused together', group: 'trust', world: 'single', weight: 2, steps: pausedTogether },
  { name: 'judged and withdrawn', group: 'trust', world: 'single', weight: 2, steps: judgedThenWithdrawn },
  { name: 'handed in again', group: 'trust', world: 'single', weight: 2, steps: handedInAgain },
  { name: 'taken back while held', group: 'trust', world: 'single', weight: 2, steps: takenBackWhileHeld },
  { name: 'held by two', group: 'trust', world: 'single', weight: 1, steps: heldByTwo },
  { name: 'flooded', group: 'trust', world: 'single', weight: 1, steps: flooded },
  { name: 'video of two cases', group: 'videos', world: 'single', weight: 2, steps: videoOfTwo },
  { name: 'expired', group: 'expiry', world: 'single', weight: 2, steps: expired },
  { name: 'exported and reversed', group: 'exchange', world: 'single', weight: 2, steps: exportedAndReversed },
  { name: 'imported again', group: 'imports', world: 'single', weight: 1, steps: importedAgain },
  { name: 'renewed bank', group: 'banks', world: 'single', weight: 1, steps: renewedBank },
  { name: 'snapshot during an import', group: 'snapshots', world: 'single', weight: 1, steps: snapshotDuringImport },
  { name: 'restored backup', group: 'restores', world: 'single', weight: 1, steps: restoredBackup },
  { name: 'diverged replica', group: 'failovers', world: 'sentinel', weight: 1, steps: divergedReplica },
  { name: 'watched again', group: 'told', world: 'single', weight: 1, steps: watchedAgain },
  { name: 'fetched while changing', group: 'told', world: 'single', weight: 1, steps: fetchedChanging },
  { name: 'endpoint down', group: 'told', world: 'single', weight: 1, steps: endpointDown },
  { name: 'Redis ahead', group: 'clocks', world: 'single', weight: 1, steps: redisAhead },
  { name: 'look-alikes for weeks', group: 'clocks', world: 'single', weight: 1, steps: lookAlikesForWeeks },
  { name: 'clocks apart', group: 'clocks', world: 'single', weight: 2, steps: clocksApart },
  { name: 'anything', group: 'uniform', world: 'single', weight: 3, steps: uniformSteps },
]
