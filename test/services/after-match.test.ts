// What follows from matches lets others in between.

import { randomBytes } from 'node:crypto'
import { t } from 'tap'
import { uuidV7 } from '../../src/domain/ids.js'
import { afterMatches } from '../../src/services/after-match.js'

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
    t.equal(kindsAsked, asked.length, 'who met them is asked about once for all that are seen to together')
    t.same(told, [['canary.met', { signalId: canary, orgId: 'org' }]])
  },
)
