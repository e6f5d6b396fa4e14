import t from 'tap'
import { feedSignalsOf, MAX_FEED_PARTS } from '../../packages/core/src/matching/feed-signals.js'
import type { Signal, View } from '../../packages/core/src/matching/signal.js'
import { hashNamed } from '../helpers/hashes.js'

const of = (view: View, count: number, frame?: number): Signal[] =>
  Array.from({ length: count }, (_, i) => ({
    ...{ type: 'pdq-area', view, quality: 100, hash: hashNamed(`${view} ${i}`) },
    ...(frame !== undefined && { frame }),
  }))
const WHOLE: readonly Signal[] = [
  { type: 'pdq', view: 'whole', quality: 100, hash: hashNamed('pdq') },
  { type: 'blockhash', view: 'whole', quality: 100, hash: hashNamed('blockhash') },
  ...of('whole', 1),
]

t.test('of a picture a follower gets the whole and eight parts of several kinds', async (t) => {
  const [pieces, crops, tilted, deframed] = [of('piece', 8), of('crop', 16), of('tilted', 4), of('deframed', 3)]
  const chosen = [pieces[0], crops[0], crops[4], crops[8], crops[12], tilted[2], tilted[3], deframed[0]]
  t.same(feedSignalsOf([...WHOLE, ...pieces, ...crops, ...tilted, ...deframed]), [...WHOLE, ...chosen])
  t.equal(chosen.length, MAX_FEED_PARTS)
})

t.test('where kinds are missing the parts that come first take their place', async (t) => {
  for (const view of ['piece', 'crop', 'tilted', 'deframed'] as const) {
    t.equal(feedSignalsOf([...WHOLE, ...of(view, 31)]).length, WHOLE.length + MAX_FEED_PARTS, view)
    t.same(feedSignalsOf(of(view, MAX_FEED_PARTS)), of(view, MAX_FEED_PARTS), `${view}: no more than there may be`)
  }
  t.same(feedSignalsOf([...WHOLE, ...of('piece', 8), ...of('crop', 2)]), [...WHOLE, ...of('piece', 6), ...of('crop', 2)])
})

t.test('of each frame of a video a follower gets the whole and two parts', async (t) => {
  const full = (frame: number) => [...of('whole', 1, frame), ...of('deframed', 3, frame), ...of('crop', 9, frame)]
  const thin = (frame: number) => [...of('whole', 1, frame), ...of('deframed', 1, frame), ...of('crop', 1, frame)]
  t.same(feedSignalsOf([...full(0), ...full(1), ...of('piece', 4, 1)]), [...thin(0), ...thin(1)])
  const animation = [...WHOLE, ...of('crop', 4)]
  t.same(feedSignalsOf([...animation, ...full(0)]), [...animation, ...thin(0)], 'an animation is a picture, too')
})
