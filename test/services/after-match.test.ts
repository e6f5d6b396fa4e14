// The work that follows a match lets other requests run in between.

import { randomBytes } from 'node:crypto'
import { t } from 'tap'
import { uuidV7 } from '../../packages/core/src/ids.js'
import { NO_TRUST } from '../../src/domain/trust/trust.js'
import { type AfterMatchParts, afterMatches } from '../../src/services/trust/match-follow-up.js'
import { imageOf } from '../helpers/registered-image.js'
import { seeded } from '../search/rows.js'

const YEAR_MS = 365 * 86_400_000
const ONE_HIT = { hits: 1, looks: new Map([[7, undefined]]) }
const SEEN = {
  hits: [1],
  uploads: 1,
  looks: 1,
  looksByView: new Map<number, number>(),
  pseudonyms: 1,
  noticed: false,
  looksByPlatform: [1],
  hours: 1,
}

t.test('thousands of matched images are checked for canaries in small batches, and a canary is reported', async (t) => {
  const imageIds = Array.from({ length: 5000 }, () => uuidV7(Date.now(), randomBytes(10)))
  const canary = imageIds[4321] ?? ''
  const asked: number[] = []
  const told: unknown[] = []
  let kindsAsked = 0
  const unneeded = async () => {
    throw new Error('only platforms are counted')
  }
  const after = afterMatches({
    canaries: {
      async among(some) {
        asked.push(some.length)
        return some.filter((id) => id === canary)
      },
    },
    events: { add: async (kind, about) => void told.push([kind, about]) },
    matchEvents: { note: unneeded },
    contexts: { note: unneeded },
    images: { facts: unneeded },
    trusts: { get: unneeded },
    trust: { hold: unneeded },
    caseEvents: { add: unneeded },
    async isPlatform() {
      kindsAsked++
      return false
    },
    pseudonymOf: () => '',
    onFirstMatch: unneeded,
    storeTime: async () => 1,
    now: () => 1,
    onError: (error) => t.fail(String(error)),
  })
  await after({ hits: new Map(imageIds.map((id) => [id, new Map([['org', ONE_HIT]])])), contexts: new Map() })
  t.equal(
    asked.reduce((sum, count) => sum + count, 0),
    imageIds.length,
  )
  t.ok(Math.max(...asked) <= 64, `${Math.max(...asked)} at a time`)
  t.equal(kindsAsked, 1, 'the kind of the organisation is read once')
  t.same(told, [['canary.matched', { signalId: canary, orgId: 'org' }]])
})

/** Each image is matched by a platform for the first time. */
function metFirst(count: number, facts: AfterMatchParts['images']['facts']) {
  const imageIds = Array.from({ length: count }, () => uuidV7(Date.now(), randomBytes(10)))
  const added: string[] = []
  const told: string[] = []
  const troubles: string[] = []
  const nothing = async () => {
    throw new Error('nothing of this follows from one match')
  }
  const after = afterMatches({
    canaries: { among: async () => [] },
    events: { add: nothing },
    matchEvents: { note: async () => ({ ...SEEN, isNew: [true] }) },
    contexts: { note: nothing },
    images: { facts },
    trusts: { get: nothing },
    trust: { hold: nothing },
    caseEvents: {
      async add(caseId) {
        added.push(caseId)
        return '1-0'
      },
    },
    isPlatform: async () => true,
    pseudonymOf: () => 'pseudonym',
    onFirstMatch: async (imageId) => void told.push(imageId),
    storeTime: async () => 1,
    now: () => 1,
    onError: (error) => troubles.push(String(error)),
  })
  const batch = { hits: new Map(imageIds.map((id) => [id, new Map([['org', ONE_HIT]])])), contexts: new Map() }
  return { imageIds, added, told, troubles, done: () => after(batch) }
}

const imageOfCase = (id: string) => ({ ...imageOf(seeded(1)), caseId: `case of ${id}` })

t.test('an image that cannot be read stops no other image', async (t) => {
  const { imageIds, added, told, troubles, done } = metFirst(100, async (ids) => {
    if (ids.includes(imageIds[3] ?? '')) throw new Error('sealed with an unknown key')
    return ids.map(imageOfCase)
  })

  t.equal(await done(), true, 'it is tried again')
  t.match(troubles, [/unknown key/])

  const others = imageIds.filter((_, i) => i !== 3)
  t.same(told, others)
  t.same(
    added,
    others.map((id) => `case of ${id}`),
  )
})

t.test('when counting a match or starting its deadline fails, the next batch does it, as of the match', async (t) => {
  const nothing = { hits: new Map<string, Map<string, typeof ONE_HIT>>(), contexts: new Map() }
  for (const failing of ['isPlatform', 'note', 'facts', 'onFirstMatch', 'add'] as const) {
    let nowMs = 1000
    let isUnavailable = true
    const deadlines: unknown[] = []
    const added: unknown[] = []
    const troubles: unknown[] = []
    const failAt = (step: string) => {
      if (isUnavailable && step === failing) throw new Error('the store is unavailable')
    }
    let isNew = true
    const after = afterMatches({
      canaries: { among: async () => [] },
      events: { add: async () => {} },
      matchEvents: {
        async note() {
          failAt('note')
          const seen = { ...SEEN, isNew: [isNew] }
          isNew = false
          return seen
        },
      },
      contexts: { note: async () => {} },
      images: {
        async facts(ids) {
          failAt('facts')
          return ids.map(imageOfCase)
        },
      },
      trusts: { get: async () => ({ trust: NO_TRUST, version: 0 }) },
      trust: {
        async hold() {
          throw new Error('it floods nothing')
        },
      },
      caseEvents: {
        async add(_, kind) {
          failAt('add')
          added.push(kind)
          return '1-0'
        },
      },
      async isPlatform() {
        failAt('isPlatform')
        return true
      },
      pseudonymOf: () => 'pseudonym',
      async onFirstMatch(_, __, orgIds, atMs) {
        failAt('onFirstMatch')
        deadlines.push([orgIds, atMs])
      },
      storeTime: async () => nowMs,
      now: () => nowMs + YEAR_MS, // deadlines count from the clock that all processes share
      onError: (error) => troubles.push(error),
    })
    const imageId = uuidV7(1, randomBytes(10))
    t.equal(await after({ hits: new Map([[imageId, new Map([['org', ONE_HIT]])]]), contexts: new Map() }), true, failing)
    nowMs = 9000
    t.equal(await after(nothing), true, 'it is tried again until it succeeds')
    isUnavailable = false
    t.equal(await after(nothing), false)
    t.same(new Set(deadlines.map((clock) => JSON.stringify(clock))), new Set(['[["org"],1000]']))
    t.same(added, ['matched'])
    t.ok(troubles.length >= 2, 'each failure is reported')
    t.equal(await after(nothing), false)
  }
})
