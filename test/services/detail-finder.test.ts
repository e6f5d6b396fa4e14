// The detail finder finds what is in a picture and nothing else, however many pictures share drawn elements.

import t from 'tap'
import { HARMLESS_BANK_NAME } from '../../packages/core/src/matching/bank.js'
import type { Tier } from '../../packages/core/src/matching/signal.js'
import { DETAIL_BITS } from '../../packages/core/src/matching/signal-types.js'
import type { AskedView } from '../../packages/hash/src/details/features.js'
import { distance } from '../../packages/hash/src/hash256.js'
import { transforms } from '../../packages/hash/src/transforms.js'
import type { Catalogue } from '../../src/services/index/catalogue.js'
import { chessboard, shaded } from '../hash/patterns.js'
import { drawn, noisy, rotatedPixels } from '../hash/synthetic.js'
import { at, details, idOf, look, MIRRORED, onPage, permutation, registry } from './detail-registry.js'

t.test(
  'a picture is found on a page, also mirrored, with its region, until it is erased, only in searched banks',
  async (t) => {
    const { catalogue, add, find, forget } = registry()
    const hers = drawn(1, 480, 360)
    add('hers', hers)
    add('another', drawn(2, 480, 360))
    add('elsewhere', drawn(3, 480, 360), { bank: 'elsewhere' })
    const page = onPage(hers, 900, 800, 300, 200)

    const [found, ...more] = await find(page)
    t.same(more, [])
    t.match(found, { image: { id: idOf('hers') }, isMirrored: false })
    t.ok((found?.inliers ?? 0) >= 8 && (found?.distanceBits ?? 99) <= 64)
    const { left = 0, top = 0, right = 0, bottom = 0 } = found?.region ?? {}
    t.ok(left >= 0.32 && top >= 0.24 && right <= 0.88 && bottom <= 0.71, `${[left, top, right, bottom]}`)

    const mirrored = onPage(rotatedPixels(hers, MIRRORED ?? transforms[5]), 900, 800, 300, 200)
    const [flipped, ...others] = await find(mirrored)
    t.same(others, [])
    t.match(flipped, { image: { id: idOf('hers') }, isMirrored: true })
    t.same(await find(mirrored, { mirrors: false }), [])
    t.same(await find(onPage(drawn(3, 480, 360), 700, 700, 100, 100)), [], 'in a bank that is not searched')
    forget('hers')
    t.same(await find(page), [], 'without its points')
    catalogue.remove(idOf('hers'))
    t.same(await find(page), [])
  },
)

t.test('the region of half a mirrored picture is reported where it is', async (t) => {
  const { add, find } = registry()
  const hers = drawn(1, 480, 360)
  add('hers', hers)
  const [mirrored, other] = [rotatedPixels(hers, MIRRORED ?? transforms[5]), drawn(2, 480, 360)]
  // Slanted: half a picture that is cut straight would be a region of its own, and found all over it.
  const half = shaded(480, 360, (x, y) => at(x < 220 + y / 4 ? mirrored : other, x, y) ?? [0, 0, 0])
  const [found] = await find(half)
  t.match(found, { image: { id: idOf('hers') }, isMirrored: true })
  const { left = 1, right = 1 } = found?.region ?? {}
  t.ok(left < 0.2 && right > 0.4 && right < 0.65, `on the left, not mirrored: ${[left, right]}`)
})

t.test('at most twenty candidates are verified, and a single matching detail makes no candidate', async (t) => {
  const world = registry()
  const copied = drawn(7, 480, 360)
  for (let copy = 0; copy < 24; copy++) world.add(`copy ${copy}`, copied, { subjectGroup: 'one picture' })
  const page = onPage(copied, 800, 700, 200, 200)
  t.equal((await world.find(page)).length, 20)
  t.equal(world.read, 20)

  const crowded = registry()
  const rows = permutation.details(look(copied)).ranked.rows
  for (let copy = 0; copy < 24; copy++) {
    const some = rows.slice(copy % 14, (copy % 14) + 2)
    crowded.put(`copy ${copy}`, permutation.details(look(copied)), { subjectGroup: 'one picture', rows: some })
  }
  crowded.put('known by all', permutation.details(look(copied)), { subjectGroup: 'one picture' })
  const ids = (await crowded.find(page)).map(({ image }) => image.id)
  t.equal(ids.length, 20)
  t.ok(ids.includes(idOf('known by all')), 'candidates with the most votes are verified first')

  const elsewhere = registry()
  elsewhere.add('elsewhere', copied, { bank: 'elsewhere' })
  t.same(await elsewhere.find(page), [])
  t.equal(elsewhere.read, 0, 'no candidate of a bank that is not searched')

  const single = registry()
  single.add('known by one row', copied, { most: 1 })
  t.same(await single.find(page), [])
  t.equal(single.read, 0)

  const few = registry()
  few.add('known by four rows', copied, { most: 4 })
  t.equal((await few.find(page)).length, 1)
})

t.test('a candidate that its best view does not show is verified in the next view, and in no more', async (t) => {
  const picture = drawn(7, 480, 360)
  const { ranked, points } = permutation.details(look(picture))
  const [whole] = details.ask(picture)
  if (whole === undefined) throw new Error('no view')
  const alike = whole.features.flatMap((feature) => {
    const row = ranked.rows.find(({ hash }) => distance(hash, permutation.hash(feature.hash)) <= DETAIL_BITS)
    return row === undefined ? [] : [{ feature, row }]
  })
  // Seven that are searched for are too few to verify by. The last view has all the others, and two of these.
  const seven = alike.filter(({ row }, i) => alike.findIndex((other) => other.row === row) === i).slice(0, 7)
  const without = (some: typeof alike) =>
    whole.features.filter(
      (feature) => !some.some(({ row }) => distance(row.hash, permutation.hash(feature.hash)) <= DETAIL_BITS),
    )
  const [few, fewer, most] = [
    { ...whole, features: seven.map(({ feature }) => feature) },
    { ...whole, features: seven.slice(0, 5).map(({ feature }) => feature) },
    { ...whole, features: without(seven.slice(2)) },
  ]
  const world = registry({ isDecoration: () => false, isInBackground: () => false })
  world.put('hers', { ranked, points }, { rows: seven.map(({ row }) => row) })
  const found = async (views: readonly AskedView[]) => (await world.findIn(views)).map(({ image }) => image.id)
  t.same(await found([few]), [])
  t.same(await found([most]), [idOf('hers')])
  t.same(await found([few, most]), [idOf('hers')])
  t.same(await found([most, few]), [idOf('hers')])
  t.same(await found([few, most, fewer]), [], 'both of the better views do not show it')
})

t.test('a reported picture is found alike, whether or not others reported one with the same details', async (t) => {
  const reported = { tier: 'self-reported' } as const
  const theirs = drawn(7, 480, 360)
  const views = details.ask(onPage(theirs, 800, 700, 200, 200))
  const own = async (others: readonly Tier[]) => {
    const world = registry()
    for (const [i, tier] of others.entries()) world.add(`other ${i}`, theirs, { tier })
    // Its owner has the picture, and registers its details with two of hers.
    const rows = [world.add('own 1', theirs, reported), world.add('own 2', theirs, reported)]
    const found = (await world.findIn(views)).filter(({ image }) => [idOf('own 1'), idOf('own 2')].includes(image.id))
    return { rows, found: found.map(({ image: { id }, inliers, distanceBits }) => ({ id, inliers, distanceBits })) }
  }
  const alone = await own([])
  t.equal(alone.found.length, 2)
  t.same(await own(['self-reported']), alone, 'one other')
  t.same(await own(['ngo-attested', 'self-reported', 'self-reported', 'self-reported']), alone, 'four others')

  const flooded = registry({ isDecoration: () => false, isInBackground: () => false })
  for (let i = 0; i < 100; i++) flooded.put(`copy ${i}`, permutation.details(look(theirs)), reported)
  t.equal((await flooded.findIn(views)).length, 20, 'many copies do not hide it')
  t.equal(flooded.read, 20)
})

t.test('a harmless picture vetoes only what it shows itself', async (t) => {
  const { add, find } = registry()
  const [known, hers] = [drawn(7, 480, 360), drawn(32, 400, 400)]
  add('hers', hers)
  add('reported by mistake', known)
  const page = onPage(known, 800, 700, 200, 200)
  t.match(await find(page), [{ image: { id: idOf('reported by mistake') } }])
  add('harmless', known, { bank: HARMLESS_BANK_NAME, subjectGroup: 'reported by mistake' })

  t.same(await find(page), [])
  const both = onPage(known, 900, 900, 20, 20, onPage(hers, 900, 900, 470, 470))
  t.match(await find(both), [{ image: { id: idOf('hers') } }])
})

t.test('a harmless picture that shares a few details of a registered picture vetoes nothing', async (t) => {
  const world = registry()
  const hers = drawn(7, 480, 360)
  const { ranked, points } = permutation.details(look(hers))
  world.put('hers', { ranked, points })
  const page = onPage(hers, 800, 700, 200, 200)
  const alone = await world.find(page)
  t.match(alone, [{ image: { id: idOf('hers') } }])

  const few = { ...points, points: points.points.slice(0, 7) }
  world.put('harmless', { ranked, points: few }, { subjectGroup: 'hers', bank: HARMLESS_BANK_NAME })
  const before = world.read
  t.same(await world.find(page), alone)
  t.equal(world.read - before, 2, 'it was verified')
})

t.test('checkerboards, text, noise, tiles and confetti find nothing, at bounded cost', async (t) => {
  const world = registry()
  for (let seed = 0; seed < 12; seed++) world.add(`${seed}`, drawn(seed, 480, 360))
  const tile = drawn(3, 60, 60)
  const odd = {
    checkerboard: chessboard(900, 900, 30),
    text: shaded(800, 900, (x, y) => (y % 24 < 12 && hashed(x >> 2, y >> 2) % 3 === 0 ? [20] : [245]), 1),
    noise: noisy(5, 900, 700, 1),
    tiles: shaded(900, 900, (x, y) => at(tile, x % 60, y % 60) ?? [0, 0, 0]),
    confetti: shaded(900, 700, (x, y) => [hashed(x >> 3, y >> 3) % 256, hashed(x >> 3, (y >> 3) + 999) % 256, 80]),
  }
  for (const [what, pixels] of Object.entries(odd)) {
    const before = world.read
    const asked = needlesOf(world.catalogue)
    t.same(await world.find(pixels), [], what)
    t.ok(asked() <= 9 * 2 * 150, `${asked()} needles`)
    t.ok(world.read - before <= 20, 'candidates')
    const rows = world.add(what, pixels)
    t.ok(rows <= 16)
  }
})

/** Counts the needles that are searched for from here on. */
function needlesOf(catalogue: Catalogue) {
  const index = catalogue.index('detail')
  const search = index.search.bind(index)
  let needles = 0
  index.search = (some, bits) => {
    needles += some.length
    return search(some, bits)
  }
  return () => needles
}

function hashed(x: number, y: number): number {
  return Math.imul((x * 73_856_093) ^ (y * 19_349_663), 2_654_435_761) >>> 20
}
