// Details that many unrelated pictures share find none of them.

import t from 'tap'
import { DETAIL_BITS } from '../../packages/core/src/matching/signal-types.js'
import { distance, type Hash256 } from '../../packages/hash/src/hash256.js'
import type { Pixels } from '../../packages/hash/src/pixels.js'
import { shaded } from '../hash/patterns.js'
import { drawn } from '../hash/synthetic.js'
import { at, idOf, look, onPage, permutation, registry } from './detail-registry.js'

t.test('details that three unrelated pictures share find none of them and are not indexed a fourth time', async (t) => {
  const frame = drawn(50, 560, 560)
  const framed = (seed: number) => inFrame(frame, drawn(seed, 210, 160))
  const { catalogue, add, find } = registry()
  const rows = [11, 12, 13, 14].map((seed) => add(`${seed}`, framed(seed)))
  t.ok(rows.slice(0, 3).every((count) => count === 16))
  t.same(await find(framed(15)), [], 'another picture in the same frame')

  const sticker = drawn(60, 400, 300)
  const counts = [1, 2, 3, 4].map((i) => add(`sticker ${i}`, sticker))
  t.ok(counts.slice(0, 3).every((count) => count > 0))
  t.equal(counts[3], 0, 'a picture of nothing but decoration gives no rows')
  t.same(await find(sticker), [])
  catalogue.remove(idOf('sticker 1'))
  t.ok(add('sticker 5', sticker) > 0, 'removed images do not count')
})

t.test('details shared by copies of one picture are no decoration', async (t) => {
  const { add, find } = registry()
  for (let copy = 0; copy < 5; copy++) t.ok(add(`copy ${copy}`, drawn(7, 480, 360), { subjectGroup: 'one picture' }) === 16)
  t.equal((await find(onPage(drawn(7, 480, 360), 800, 700, 200, 200))).length, 5)
})

t.test('decoration finds nothing', async (t) => {
  const drawnByAll = registry({ isDecoration: () => true, isInBackground: () => false })
  const picture = drawn(7, 480, 360)
  drawnByAll.put('any', permutation.details(look(picture)))
  const page = onPage(picture, 800, 700, 200, 200)
  t.same(await drawnByAll.find(page), [])
  t.equal(drawnByAll.read, 0)

  const { ranked, points } = permutation.details(look(picture))
  const rows = ranked.rows.slice(0, 16)
  // So that no detail is near to this one and to another.
  const own = rows.find((row) => rows.every((other) => other === row || distance(row.hash, other.hash) > 2 * DETAIL_BITS))
  const isOther = (hash: Hash256) => own === undefined || distance(hash, own.hash) > DETAIL_BITS
  const butOne = registry({ isDecoration: isOther, isInBackground: () => false })
  butOne.put('any', { ranked, points })
  t.same(await butOne.find(page), [])
  t.equal(butOne.read, 0, 'a vote needs two details that are no decoration')
})

t.test('details of three unrelated pictures find none of them, and details of two find both', async (t) => {
  for (const [kins, found] of [
    [['one', 'two', 'three'], 0],
    [['one', 'two', 'two'], 3],
  ] as const) {
    const world = registry({ isDecoration: () => false, isInBackground: () => false })
    const picture = drawn(7, 480, 360)
    for (const [i, subjectGroup] of kins.entries())
      world.put(`${kins} ${i}`, permutation.details(look(picture)), { subjectGroup })
    t.equal((await world.find(onPage(picture, 800, 700, 200, 200))).length, found)
  }
})

t.test('the decoration check runs only for candidates with enough votes', async (t) => {
  let lookedUp = 0
  const isDecoration = () => {
    lookedUp++
    return false
  }
  const picture = drawn(7, 480, 360)
  const page = onPage(picture, 800, 700, 200, 200)
  const once = registry({ isDecoration, isInBackground: () => false })
  once.add('known by one row', picture, { most: 1 })
  lookedUp = 0
  t.same(await once.find(page), [])
  t.equal(lookedUp, 0)

  const often = registry({ isDecoration, isInBackground: () => false })
  often.add('known by all', picture)
  lookedUp = 0
  t.equal((await often.find(page)).length, 1)
  t.ok(lookedUp > 1, `${lookedUp} times`)
})

/** Pastes into the middle, with detail all around it, so that no rectangle is cut out. */
function inFrame(frame: Pixels, inner: Pixels): Pixels {
  const [left, top] = [(frame.width - inner.width) >> 1, (frame.height - inner.height) >> 1]
  return shaded(frame.width, frame.height, (x, y) => at(inner, x - left, y - top) ?? at(frame, x, y) ?? [0, 0, 0])
}
