// The probing budget observes what an answer reveals.

import { randomBytes } from 'node:crypto'
import t from 'tap'
import { formatUuid } from '../../packages/core/src/ids.js'
import type { HashedSignal } from '../../packages/core/src/matching/hashed-image.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import type { Observation } from '../../src/services/matching/observing.js'
import { bareMatcher, matchesOf, probingThatSees } from '../helpers/bare-matcher.js'
import { bitsFrom, hashNamed } from '../helpers/hashes.js'
import { imageWith } from '../helpers/registered-image.js'

t.test(
  'of a match by corroborating views, the edges of the reported values count, not those of the nearest view',
  async (t) => {
    const catalogue = new Catalogue()
    const row = (type: 'pdq' | 'pdq-area', view: 'whole' | 'crop', name: string) => ({
      type,
      view,
      quality: 100,
      hash: hashNamed(name),
    })
    const signals = [row('pdq', 'whole', 'pdq'), row('pdq-area', 'whole', 'whole'), row('pdq-area', 'crop', 'part')]
    catalogue.put(formatUuid(randomBytes(16)), imageWith(signals))
    let seen: readonly Observation[] = []
    const probing = probingThatSees((observations) => {
      seen = observations
      return undefined
    })
    const matcher = bareMatcher({ replica: { catalogue }, probing })
    const ask = async (pdqBits: number, wholeBits: number, partBits: number) => {
      const asked = (type: HashedSignal['type'], view: HashedSignal['view'], name: string, bits: number): HashedSignal => ({
        type,
        view,
        quality: 100,
        hashes: [bitsFrom(hashNamed(name), bits)],
      })
      const query = [
        asked('pdq', 'whole', 'pdq', pdqBits),
        asked('pdq-area', 'whole', 'whole', wholeBits),
        asked('pdq-area', 'deframed', 'part', partBits),
      ]
      const [[match] = []] = await matchesOf(matcher, [query], { orgId: 'org', banks: undefined, thresholdBits: undefined })
      return [match?.grade, match?.distanceBits, seen[0]?.distanceBits, seen[0]?.edge]
    }

    t.same(await ask(8, 40, 24), ['strong', 24, 24, 'none'])
    t.same(await ask(15, 40, 24), ['strong', 24, 24, 'none'], 'whatever the band of the nearest image')
    t.same(await ask(8, 40, 30), ['strong', 30, 30, 'inner'], 'of the reported band')
    t.same(await ask(8, 25, 24), ['strong', 24, 24, 'inner'], 'of the reported view')
    t.same(
      await ask(30, 40, 24),
      ['strong', 24, 24, 'inner'],
      'corroborating views are reported because nothing else decides',
    )
    t.same(await ask(8, 58, 29), ['strong', 29, 29, 'outer'], 'of the grade')
    t.same(await ask(8, 60, 40), ['near', 8, 8, 'none'], 'where they add no certainty, of the nearest view')
  },
)

t.test(
  'where a rule for wholes would lower the grade, it is an edge which of two pairs of views is the nearer',
  async (t) => {
    const catalogue = new Catalogue()
    const row = (view: 'whole' | 'crop', name: string) =>
      ({ type: 'pdq-area', view, quality: 100, hash: hashNamed(name) }) as const
    catalogue.put(formatUuid(randomBytes(16)), imageWith([row('whole', 'whole'), row('crop', 'wide'), row('crop', 'left')]))
    let seen: readonly Observation[] = []
    const probing = probingThatSees((observations) => {
      seen = observations
      return undefined
    })
    const matcher = bareMatcher({ replica: { catalogue }, probing })
    const ask = async (wholeBits: number, wideBits: number, pieceBits = 110, name = 'wide') => {
      const asked = (view: HashedSignal['view'], name: string, bits: number) => {
        const hash = bitsFrom(hashNamed(name), bits)
        return { type: 'pdq-area', view, quality: 100, hashes: [hash, hash] } as const
      }
      const query = [
        asked('whole', 'whole', wholeBits),
        ...Array.from({ length: 8 }, (_, i) => asked('piece', i === 0 ? 'left' : `other ${i}`, pieceBits)),
        { ...asked('deframed', name, wideBits), part: { left: 0, top: 0.1, right: 1, bottom: 0.9 } },
      ]
      const [[match] = []] = await matchesOf(matcher, [query], { orgId: 'org', banks: undefined, thresholdBits: undefined })
      return [match?.grade, seen[0]?.edge]
    }
    t.same(await ask(28, 29), [undefined, 'outer'], 'the wholes are nearer, and nothing inside agrees')
    t.same(await ask(28, 26), ['near', 'outer'], 'a large part is nearer')
    t.same(await ask(28, 28, 110, 'whole'), [undefined, 'outer'], 'the same registered view')
    t.same(await ask(28, 36), [undefined, 'none'], 'far from both edges')
    t.same(await ask(28, 18), ['near', 'none'])
    t.same(await ask(28, 29, 50), ['near', 'inner'], 'a part inside agrees, so nothing depends on it but the view')
  },
)
