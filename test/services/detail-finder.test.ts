// Found by details: what is there and nothing else, however many pictures share something that was drawn on them.

import { createHash } from 'node:crypto'
import t from 'tap'
import { detailsWith } from '../../packages/hash/src/details/details.js'
import type { AskedView } from '../../packages/hash/src/details/features.js'
import type { Points } from '../../packages/hash/src/details/rows.js'
import { loadDetailsKernelSync } from '../../packages/hash/src/details-kernel.js'
import { loadFrameKernelSync } from '../../packages/hash/src/frame-kernel.js'
import { distance, type Hash256 } from '../../packages/hash/src/hash256.js'
import type { Pixels } from '../../packages/hash/src/pixels.js'
import { transforms } from '../../packages/hash/src/transforms.js'
import { formatUuid } from '../../src/domain/ids.js'
import type { Tier } from '../../src/domain/matching/signal.js'
import { DETAIL_BITS } from '../../src/domain/matching/signal-types.js'
import { CASES_BANK_NAME, HARMLESS_BANK_NAME } from '../../src/domain/organisations/bank.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import { createBitPermutation } from '../../src/services/matching/bit-permutation.js'
import { type CommonRows, createCommonRows } from '../../src/services/matching/common-rows.js'
import { createDetailFinder } from '../../src/services/matching/detail-finder.js'
import { chosenRows } from '../../src/services/matching/detail-rows.js'
import { chessboard, shaded } from '../hash/patterns.js'
import { drawn, noisy, rotatedPixels } from '../hash/synthetic.js'

const details = detailsWith(loadDetailsKernelSync(), loadFrameKernelSync())
const permutation = createBitPermutation(Buffer.alloc(32, 5))
const common = createCommonRows(permutation)
const [MIRRORED] = transforms.filter(({ name }) => name === 'flipY')

const looked = new Map<Pixels, ReturnType<typeof details.register>>()
function look(pixels: Pixels) {
  const found = looked.get(pixels) ?? details.register(pixels)
  looked.set(pixels, found)
  return found
}

type Permuted = ReturnType<typeof permutation.details>

function subjectGroupNumber(subjectGroup: string): number {
  return createHash('sha256').update(subjectGroup).digest().readUInt32BE()
}

/** A registry of pictures by name; each is kin to itself alone unless said otherwise. */
function registry(known: CommonRows = common) {
  const catalogue = new Catalogue()
  const kept = new Map<string, Points>()
  let read = 0
  const points = async (ids: readonly string[]) => {
    read += ids.length
    return ids.map((id) => kept.get(id))
  }
  const finder = createDetailFinder({ images: { points }, permutation, common: known })
  /** As it is, without a choice of rows. */
  function put(
    name: string,
    { ranked, points }: Permuted,
    { subjectGroup = name, bank = CASES_BANK_NAME, rows = ranked.rows, tier = 'verified' as Tier } = {},
  ) {
    const image = { bank, tier, category: undefined, ref: undefined, createdAtMs: 1, signals: [] } as const
    const details = { ...ranked, rows: rows.slice(0, 16), subjectGroup: subjectGroupNumber(subjectGroup) }
    catalogue.put(idOf(name), { ...image, details })
    kept.set(idOf(name), points)
  }
  async function findIn(views: readonly AskedView[], { mirrors = true } = {}) {
    const role = (ordinal: number) => {
      const bank = catalogue.image(ordinal)?.bank
      return bank === HARMLESS_BANK_NAME ? 'harmless' : bank === CASES_BANK_NAME ? 'wanted' : undefined
    }
    return finder.find(views, { searcher: catalogue.searcher(), mirrors, role, yieldIfNeeded: () => undefined })
  }
  return {
    catalogue,
    forget: (name: string) => kept.delete(idOf(name)),
    get read() {
      return read
    },
    add(
      name: string,
      pixels: Pixels,
      { subjectGroup = name, bank = CASES_BANK_NAME, most = 16, tier = 'verified' as Tier } = {},
    ) {
      const { ranked, points } = permutation.details(look(pixels))
      const choosing = chosenRows({ searcher: catalogue.searcher(), common }, ranked, subjectGroupNumber(subjectGroup))
      let step = choosing.next()
      while (step.done !== true) step = choosing.next()
      put(name, { ranked, points }, { subjectGroup, bank, tier, rows: step.value.rows.slice(0, most) })
      return step.value.rows.length
    },
    put,
    find: (pixels: Pixels, options?: { readonly mirrors: boolean }) => findIn(details.ask(pixels), options),
    findIn,
  }
}

t.test(
  'a picture is found on a page, mirrored too, where it is; and not when it is gone, or in a bank that is not asked',
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
    t.same(await find(onPage(drawn(3, 480, 360), 700, 700, 100, 100)), [], 'not asked')
    forget('hers')
    t.same(await find(page), [], 'its points are gone')
    catalogue.remove(idOf('hers'))
    t.same(await find(page), [])
  },
)

t.test('where the half of a mirrored picture is that is seen', async (t) => {
  const { add, find } = registry()
  const hers = drawn(1, 480, 360)
  add('hers', hers)
  const [mirrored, other] = [rotatedPixels(hers, MIRRORED ?? transforms[5]), drawn(2, 480, 360)]
  // Slanted: what is cut straight would be a part of its own, and found all over it.
  const half = shaded(480, 360, (x, y) => at(x < 220 + y / 4 ? mirrored : other, x, y) ?? [0, 0, 0])
  const [found] = await find(half)
  t.match(found, { image: { id: idOf('hers') }, isMirrored: true })
  const { left = 1, right = 1 } = found?.region ?? {}
  t.ok(left < 0.2 && right > 0.4 && right < 0.65, `on the left, and not in its mirror: ${[left, right]}`)
})

t.test('what three unrelated pictures have finds none of them, and nothing indexes it a fourth time', async (t) => {
  const frame = drawn(50, 560, 560)
  const framed = (seed: number) => inFrame(frame, drawn(seed, 210, 160))
  const { catalogue, add, find } = registry()
  const rows = [11, 12, 13, 14].map((seed) => add(`${seed}`, framed(seed)))
  t.ok(rows.slice(0, 3).every((count) => count === 16))
  t.same(await find(framed(15)), [], 'another picture in the same frame')

  const sticker = drawn(60, 400, 300)
  const counts = [1, 2, 3, 4].map((i) => add(`sticker ${i}`, sticker))
  t.ok(counts.slice(0, 3).every((count) => count > 0))
  t.equal(counts[3], 0, 'nothing but decoration gives no rows')
  t.same(await find(sticker), [])
  catalogue.remove(idOf('sticker 1'))
  t.ok(add('sticker 5', sticker) > 0, 'and what has gone does not count')
})

t.test('copies of one picture are no decoration', async (t) => {
  const { add, find } = registry()
  for (let copy = 0; copy < 5; copy++) t.ok(add(`copy ${copy}`, drawn(7, 480, 360), { subjectGroup: 'one picture' }) === 16)
  t.equal((await find(onPage(drawn(7, 480, 360), 800, 700, 200, 200))).length, 5)
})

t.test('of many candidates twenty are looked at, and one detail makes none', async (t) => {
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
  t.ok(ids.includes(idOf('known by all')), 'those that the vote is surest of')

  const elsewhere = registry()
  elsewhere.add('elsewhere', copied, { bank: 'elsewhere' })
  t.same(await elsewhere.find(page), [])
  t.equal(elsewhere.read, 0, 'none of a bank that is not asked')

  const single = registry()
  single.add('known by one row', copied, { most: 1 })
  t.same(await single.find(page), [])
  t.equal(single.read, 0)

  const few = registry()
  few.add('known by four rows', copied, { most: 4 })
  t.equal((await few.find(page)).length, 1)
})

t.test('what the surest view of a candidate does not show is looked for in the next one, and no further', async (t) => {
  const picture = drawn(7, 480, 360)
  const { ranked, points } = permutation.details(look(picture))
  const [whole] = details.ask(picture)
  if (whole === undefined) throw new Error('no view')
  const alike = whole.features.flatMap((feature) => {
    const row = ranked.rows.find(({ hash }) => distance(hash, permutation.hash(feature.hash)) <= DETAIL_BITS)
    return row === undefined ? [] : [{ feature, row }]
  })
  // Seven that are searched for: too few to verify by. And all the others, and two of these.
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
  t.same(await found([few, most, fewer]), [], 'surer than the one that shows it')
})

t.test('what is decoration finds nothing', async (t) => {
  const drawnByAll = registry({ isDecoration: () => true, isInBackground: () => false })
  const picture = drawn(7, 480, 360)
  drawnByAll.put('any', permutation.details(look(picture)))
  const page = onPage(picture, 800, 700, 200, 200)
  t.same(await drawnByAll.find(page), [])
  t.equal(drawnByAll.read, 0)

  const { ranked, points } = permutation.details(look(picture))
  const rows = ranked.rows.slice(0, 16)
  // So that no detail is near to it and to another one.
  const own = rows.find((row) => rows.every((other) => other === row || distance(row.hash, other.hash) > 2 * DETAIL_BITS))
  const isOther = (hash: Hash256) => own === undefined || distance(hash, own.hash) > DETAIL_BITS
  const butOne = registry({ isDecoration: isOther, isInBackground: () => false })
  butOne.put('any', { ranked, points })
  t.same(await butOne.find(page), [])
  t.equal(butOne.read, 0, 'of what is no decoration there have to be two')
})

t.test('details that three unrelated pictures have find none of them, and those of two find both', async (t) => {
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

t.test('an own picture is found alike, whether others reported one with its details or nobody did', async (t) => {
  const reported = { tier: 'self-reported' } as const
  const theirs = drawn(7, 480, 360)
  const views = details.ask(onPage(theirs, 800, 700, 200, 200))
  const own = async (others: readonly Tier[]) => {
    const world = registry()
    for (const [i, tier] of others.entries()) world.add(`other ${i}`, theirs, { tier })
    // Its owner has the picture, and puts its details into two of hers.
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
  t.equal((await flooded.findIn(views)).length, 20, 'nor do many hide it')
  t.equal(flooded.read, 20)
})

t.test('whether a detail is decoration is looked up for what a vote would let through', async (t) => {
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

t.test('a harmless picture vetoes what it shows, and nothing beside it', async (t) => {
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

t.test('a harmless picture that has a few of her details is not there, and vetoes none of them', async (t) => {
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
  t.equal(world.read - before, 2, 'it was looked at')
})

t.test('checkerboards, text, noise, tiles and confetti find nothing, and make no work without bounds', async (t) => {
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

/** Counts what is searched for from here on. */
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

function idOf(name: string): string {
  return formatUuid(createHash('sha256').update(name).digest().subarray(0, 16))
}

function onPage(inner: Pixels, width: number, height: number, left: number, top: number, outer?: Pixels): Pixels {
  const around = (x: number, y: number) => (outer === undefined ? [238, 238, 238] : (at(outer, x, y) ?? [0, 0, 0]))
  return shaded(width, height, (x, y) => at(inner, x - left, y - top) ?? around(x, y))
}

/** In the middle: detail all around it, so that no rectangle is cut out. */
function inFrame(frame: Pixels, inner: Pixels): Pixels {
  const [left, top] = [(frame.width - inner.width) >> 1, (frame.height - inner.height) >> 1]
  return shaded(frame.width, frame.height, (x, y) => at(inner, x - left, y - top) ?? at(frame, x, y) ?? [0, 0, 0])
}

function at({ data, width, height, channels }: Pixels, x: number, y: number): number[] | undefined {
  if (x < 0 || y < 0 || x >= width || y >= height) return undefined
  return Array.from(data.subarray((y * width + x) * channels, (y * width + x) * channels + 3))
}

function hashed(x: number, y: number): number {
  return Math.imul((x * 73_856_093) ^ (y * 19_349_663), 2_654_435_761) >>> 20
}
