// What follows from matches lets others in between.

import { randomBytes } from 'node:crypto'
import { t } from 'tap'
import { uuidV7 } from '../../src/domain/ids.js'
import { type AfterMatchParts, afterMatches } from '../../src/services/after-match.js'
import { imageOf } from '../helpers/registered-image.js'
import { seeded } from '../search/rows.js'

t.test(
  'of thousands of images that were met, a few at a time are asked about; a canary among them is told of',
  async (t) => {
    const imageIds = Array.from({ length: 5000 }, () => uuidV7(Date.now(), randomBytes(10)))
    const canary = imageIds[4321] ?? ''
    const asked: number[] = []
    const told: unknown[] = []
    let kindsAsked = 0
    const unneeded = async () => {
      throw new Error('nobody but platforms is counted')
    }
    const after = afterMatches({
      canaries: {
        async among(some) {
          asked.push(some.length)
          return some.filter((id) => id === canary)
        },
      },
      events: { add: async (kind, about) => void told.push([kind, about]) },
      sightings: { note: unneeded },
      contexts: { note: unneeded },
      images: { get: unneeded },
      trusts: { get: unneeded },
      trust: { hold: unneeded },
      caseEvents: { add: unneeded },
      async isPlatform() {
        kindsAsked++
        return false
      },
      partyOf: () => '',
      onMet: unneeded,
      now: () => 1,
    })
    await after({ hits: new Map(imageIds.map((id) => [id, new Map([['org', 1]])])), contexts: new Map() })
    t.equal(
      asked.reduce((sum, count) => sum + count, 0),
      imageIds.length,
    )
    t.ok(Math.max(...asked) <= 64, `${Math.max(...asked)} at a time`)
    t.equal(kindsAsked, 1, 'who met them is asked about once')
    t.same(told, [['canary.met', { signalId: canary, orgId: 'org' }]])
  },
)

/** Met by a platform for the first time, each of them. */
function metFirst(count: number, get: AfterMatchParts['images']['get']) {
  const imageIds = Array.from({ length: count }, () => uuidV7(Date.now(), randomBytes(10)))
  const added: string[] = []
  const told: string[] = []
  const nothing = async () => {
    throw new Error('nothing of this follows from one match')
  }
  const after = afterMatches({
    canaries: { among: async () => [] },
    events: { add: nothing },
    sightings: { note: async () => ({ hits: [1], past: [], parties: 1, isNew: [true], noticed: false }) },
    contexts: { note: nothing },
    images: { get },
    trusts: { get: nothing },
    trust: { hold: nothing },
    caseEvents: {
      async add(caseId) {
        added.push(caseId)
        return '1-0'
      },
    },
    isPlatform: async () => true,
    partyOf: () => 'party',
    onMet: async (imageId) => void told.push(imageId),
    now: () => 1,
  })
  const batch = { hits: new Map(imageIds.map((id) => [id, new Map([['org', 1]])])), contexts: new Map() }
  return { imageIds, added, told, done: () => after(batch) }
}

const imageOfCase = (id: string) => ({ ...imageOf(seeded(1)), caseId: `case of ${id}` })

t.test('an image that cannot be read stops no other', async (t) => {
  const { imageIds, added, told, done } = metFirst(100, async (ids) => {
    if (ids.includes(imageIds[3] ?? '')) throw new Error('sealed with a key that nobody has')
    return ids.map(imageOfCase)
  })

  await t.rejects(done(), { message: /nobody has/ })

  const others = imageIds.filter((_, i) => i !== 3)
  t.same(told, others)
  t.same(
    added,
    others.map((id) => `case of ${id}`),
  )
})
