import t from 'tap'
import { uuidV7 } from '../../packages/core/src/ids.js'
import type { Hash256 } from '../../packages/hash/src/hash256.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import { createVideoMatcher } from '../../src/services/matching/video/video-matcher.js'
import { BARE, matchesOfVideos } from '../helpers/bare-matcher.js'
import { bitsFrom, hashNamed } from '../helpers/hashes.js'
import { imageOf } from '../helpers/registered-image.js'

const ASKING = { orgId: 'org', banks: undefined, thresholdBits: undefined } as const

t.test('crops and turned parts of a frame confirm no other view, and decide if they are near enough', async (t) => {
  const [whole, one, two] = ['whole', 'one', 'two'].map(hashNamed) as [Hash256, Hash256, Hash256]
  const [pdq, area] = [{ type: 'pdq', view: 'whole', quality: 90 } as const, { type: 'pdq-area', quality: 90 } as const]
  const crops = [one, two].map((hash) => ({ ...area, view: 'crop', hash, frame: 0 }) as const)
  const signals = [{ ...pdq, hash: whole, frame: 0 }, ...crops]
  const catalogue = new Catalogue()
  catalogue.put(uuidV7(1, new Uint8Array(10)), { ...imageOf(whole), signals, video: { durationMs: 1000, framesAtMs: [0] } })
  const matcher = createVideoMatcher({ ...BARE, replica: { catalogue } })
  const near = (view: 'deframed' | 'tilted', to: Hash256, bits: number) => ({ ...area, view, hashes: [bitsFrom(to, bits)] })
  const isFound = async (...asked: readonly ReturnType<typeof near>[]) => {
    const other = { ...pdq, hashes: [hashNamed('another whole')] }
    const frames = [{ atMs: 0, signals: [other, ...asked] }]
    const [matches = []] = await matchesOfVideos(matcher, [{ frames }], ASKING)
    return matches.length > 0
  }
  const views = ['deframed', 'tilted'] as const
  for (const view of views) {
    for (const other of views) {
      const found = await isFound(near(view, one, 50), near(other, two, 50))
      t.equal(found, view === 'deframed' && other === 'deframed', `${view} and ${other}`)
    }
  }
  t.ok(await isFound(near('tilted', one, 40)))
  t.notOk(await isFound(near('tilted', one, 41)))
})
