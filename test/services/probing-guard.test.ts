// What is reported to the operator about an organisation that probes.

import t from 'tap'
import type { Match } from '../../src/services/matching/match.js'
import {
  createProbingGuard,
  type ProbingGuardParts,
  type ProbingMode,
} from '../../src/services/matching/probing/probing-guard.js'

const DAY_MS = 86_400_000
const OBSERVED = [{ imageId: 'image', edge: 'outer', distanceBits: 31, marks: [1, 1], plain: undefined }] as const

function guardThat(mode: ProbingMode, add: ProbingGuardParts['events']['add']) {
  const clock = { nowMs: Date.UTC(2026, 0, 1) }
  const troubles: unknown[] = []
  const guard = createProbingGuard({
    budget: {
      charge: () => undefined,
      restrictionOf: () => ({ isCoarse: true, isBlurred: true }),
      blurredFor: () => new Set(['image']),
      isSuspect: () => true,
      flush: async () => {},
      close: async () => {},
    },
    secret: Buffer.alloc(32, 1),
    mode,
    events: { add },
    now: () => clock.nowMs,
    onError: (error) => troubles.push(error),
  })
  const see = async (orgId = 'org') => {
    const screen = await guard.count(orgId, OBSERVED, false)
    await guard.close()
    return screen
  }
  return { clock, troubles, see, guard }
}

t.test('an organisation that continues to probe is reported again after a day, not before', async (t) => {
  for (const mode of ['notify', 'limit'] as const) {
    const told: number[] = []
    const { clock, see } = guardThat(mode, async (_, __, atMs) => void told.push(atMs))
    const startMs = clock.nowMs
    for (const afterMs of [0, 1, DAY_MS - 1, DAY_MS, DAY_MS + 1, 40 * DAY_MS]) {
      clock.nowMs = startMs + afterMs
      await see()
    }
    t.same(
      told.map((atMs) => atMs - startMs),
      [0, DAY_MS, 40 * DAY_MS],
      mode,
    )
  }
})

t.test('a report that the store refused is made with the next query', async (t) => {
  const told: string[] = []
  let isUnavailable = true
  const { troubles, see } = guardThat('notify', async (kind) => {
    if (isUnavailable) throw new Error('the store is unavailable')
    told.push(kind)
  })
  await see()
  isUnavailable = false
  await see()
  t.same([troubles.length, told], [1, ['key.suspected']])
})

t.test('each of many probing organisations is reported', async (t) => {
  const told = new Set<string>()
  const { see } = guardThat('notify', async (_, { orgId }) => void told.add(orgId ?? ''))
  for (let i = 0; i < 1500; i++) await see(`org ${i}`)
  t.equal(told.size, 1500)
})

t.test('a coarse answer has no moments, since each frame of a query would have its own', async (t) => {
  const span = { fromMs: 0, toMs: 1000 }
  const segment = {
    query: span,
    registered: span,
    speed: 1,
    frames: 2,
    transform: 'original',
    distanceBand: '1-15',
  } as const
  const match: Match = {
    ...{ matchId: 'id', grade: 'strong', distanceBits: 10, distanceBand: '1-15', signalType: 'pdq', view: 'whole' },
    ...{ transform: 'original', bank: 'cases', tier: 'verified', category: undefined, disputed: false },
    ...{ segments: [segment], atMs: 1000, queryMs: 2000 },
  }
  const screen = await guardThat('limit', async () => {}).see()
  const { segments: _, atMs: __, queryMs: ___, ...rest } = match
  t.same(screen?.('image', match), { ...rest, grade: 'near', distanceBits: 31, distanceBand: '16-31' })
  t.same(screen?.('another', match), match)
  const graded = (grade: Match['grade']) => screen?.('image', { ...match, grade }).grade
  t.same([graded('exact'), graded('near'), graded('review')], ['exact', 'near', 'review'], 'it raises no grade')
})
