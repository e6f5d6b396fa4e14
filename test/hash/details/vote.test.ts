import t from 'tap'
import type { PlacedFeature } from '../../../packages/hash/src/details/kept.js'
import { type FeatureMatch, voteOf } from '../../../packages/hash/src/details/vote.js'
import { hashFromBytes } from '../../../packages/hash/src/hash256.js'

const hash = hashFromBytes(new Uint8Array(32))
const view = { width: 560, height: 400 }
const centre = { x: 240, y: 160 }

/** The registered picture twice as large, turned by a quarter, its centre at 300, 200. */
function matchEvent(i: number, off: Partial<PlacedFeature> = {}): FeatureMatch {
  const registered: PlacedFeature = { x: 100 + 37 * i, y: 60 + 29 * i, angle: (5 * i) % 64, level: 1, hash }
  const scale = 1.25 ** 3
  const [dx, dy] = [registered.x - centre.x, registered.y - centre.y]
  const asked = { x: 300 - scale * dy, y: 200 + scale * dx, angle: (5 * i + 16) % 64, level: 4, hash, ...off }
  return { needle: i, row: i, distanceBits: 10, pictures: 1, asked, registered }
}

t.test('sightings of one picture in one pose agree', async (t) => {
  t.equal(
    voteOf(
      [0, 1, 2, 3].map((i) => matchEvent(i)),
      view,
      centre,
    ).agreeing,
    4,
  )
})

t.test('a sighting at another place, angle or size does not agree', async (t) => {
  const others = [{ x: 20 }, { angle: 40 }, { level: 0 }]
  for (const off of others) t.equal(voteOf([matchEvent(0), matchEvent(1), matchEvent(2, off)], view, centre).agreeing, 2)
})

/** At the picture's own centre, which no rotation and no size moves. */
function inTheMiddle(i: number, level: number, angle: number): FeatureMatch {
  const whole = matchEvent(i)
  return {
    ...whole,
    registered: { ...whole.registered, ...centre, angle: 0 },
    asked: { ...whole.asked, x: 300, y: 200, angle, level },
  }
}

t.test('two sightings at one centre in different sizes do not agree', async (t) => {
  t.equal(
    voteOf([inTheMiddle(0, 1, 0), inTheMiddle(1, 3, 0)], view, centre).agreeing,
    2,
    'one or two levels apart is still the same',
  )
  t.equal(voteOf([inTheMiddle(0, 1, 0), inTheMiddle(1, 4, 0)], view, centre).agreeing, 1)
})

t.test('two sightings at one centre at different angles do not agree', async (t) => {
  const both = (one: number, other: number) =>
    voteOf([inTheMiddle(0, 1, one), inTheMiddle(1, 1, other)], view, centre).agreeing
  t.equal(both(10, 14), 2, '22 degrees apart is still the same')
  t.equal(both(10, 15), 1)
  t.equal(both(63, 1), 2, 'around the circle')
})

t.test('a needle near to many rows is one vote, and so is a row near to many needles', async (t) => {
  const first = matchEvent(0)
  t.equal(voteOf([first, { ...first, needle: 7 }, { ...first, needle: 8 }], view, centre).agreeing, 1)
  t.equal(voteOf([first, { ...first, row: 7 }, { ...first, row: 8 }], view, centre).agreeing, 1)
})

t.test('a vote weighs more with fewer differing bits and rarer rows, and no votes weigh nothing', async (t) => {
  const [a, b] = [matchEvent(0), matchEvent(1)]
  const plain = voteOf([a, b], view, centre).weight
  t.ok(voteOf([{ ...a, distanceBits: 2 }, b], view, centre).weight > plain)
  t.ok(voteOf([{ ...a, pictures: 100 }, b], view, centre).weight < plain)
  t.same(voteOf([], view, centre), { agreeing: 0, weight: 0 })
})
