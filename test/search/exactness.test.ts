import assert from 'node:assert/strict'
import fc from 'fast-check'
import { t } from 'tap'
import { linear, type Row } from '../../packages/core/src/search/linear.js'
import { SignalIndex } from '../../packages/core/src/search/signal-index.js'
import { distance, HASH_BITS, type Hash256 } from '../../packages/hash/src/hash256.js'
import { runs } from '../helpers/runs.js'
import {
  BAND_BITS,
  BANDS,
  below,
  blurred,
  clumpy,
  dealt,
  flippedByBand,
  photographs,
  type Random,
  randomFrom,
  rowsOf,
  sample,
} from './corpora.js'
import { padded } from './parts.js'
import { assertSameHits, columnsOf, seeded, zeros } from './rows.js'

// The parts that rows can be in, by how they were added.
const ways = {
  inserted: (rows: readonly Row[]) => indexOf(rows, (index) => insertAll(index, rows)),
  loaded: (rows: readonly Row[]) => indexOf(rows, (index) => index.load(columnsOf(rows))),
  compacted: (rows: readonly Row[]) =>
    indexOf(rows, (index) => {
      index.load(columnsOf(rows))
      compactAll(index)
    }),
  // A third settled, a third loaded and being compacted, a third in the head.
  mixed: (rows: readonly Row[]) =>
    indexOf(rows, (index) => {
      const third = Math.ceil(rows.length / 3)
      index.load(columnsOf(rows.slice(0, third)))
      compactAll(index)
      index.load(columnsOf(rows.slice(third, 2 * third)))
      index.compact(third + 1)
      insertAll(index, rows.slice(2 * third))
    }),
} as const

t.test('a search in every kind of part equals a linear scan at every threshold', async (t) => {
  const needle = seeded(1)
  const rows = rowsOf([
    ...everyDistance(needle, randomFrom(1)),
    ...clumpy(200, 2),
    ...new Array<Hash256>(20).fill(needle),
    ...new Array<Hash256>(20).fill(zeros),
  ])
  const needles = [zeros, needle, rows.at(-200)?.hash ?? zeros, needle]

  for (const build of Object.values(ways)) {
    const index = build(rows)
    for (let bits = 0; bits <= HASH_BITS; bits++) assertSameHits(index.within(needles, bits), linear(rows, needles, bits))
  }
  t.pass()
})

t.test('rows one bit within, at and beyond the threshold are told apart, however their bits are spread', async () => {
  fc.assert(
    fc.property(fc.nat(95), fc.nat(), fc.constantFrom(...Object.values(ways)), (thresholdBits, seed, build) => {
      const random = randomFrom(seed)
      const needles = [seeded(seed), seeded(seed + 1)]
      const rows = padded(rowsOf(needles.flatMap((needle) => nearThreshold(needle, thresholdBits, random))))

      assertSameHits(build(rows).within(needles, thresholdBits), linear(rows, needles, thresholdBits))
    }),
    { numRuns: runs(10) },
  )
})

t.test('rows just within the reach of a plan are found, and rows just beyond it are not near', async (t) => {
  const needle = seeded(1)
  const random = randomFrom(1)
  const filling = rowsOf(clumpy(20_000, 3), 10_000)
  for (const thresholdBits of [0, 7, 15, 23, 31, 40]) {
    const radii = ways.compacted(filling).status(thresholdBits)[0]?.radii
    assert.ok(radii !== undefined)
    const reach = radii.map((radius) => radius + 1)
    const rows = [
      ...rowsOf([
        // By the plan's pigeonholes: as far as possible without being in any, then in exactly one.
        flippedByBand(needle, reach, random),
        ...reach.flatMap((bits, band) => (bits === 0 ? [] : [flippedByBand(needle, reach.with(band, bits - 1), random)])),
        ...reach.map((bits, band) => flippedByBand(needle, reach.with(band, bits + 1), random)),
        ...nearThreshold(needle, thresholdBits, random),
      ]),
      ...filling,
    ]

    const index = ways.compacted(rows)
    t.not(index.status(thresholdBits)[0]?.radii, undefined, 'it is probed')
    const found = index.within([needle], thresholdBits)
    assertSameHits(found, linear(rows, [needle], thresholdBits))
    t.ok(found.length >= BANDS)
  }
})

t.test('an index of very few rows, or of as many as a part holds, is exact', async (t) => {
  const hashes = clumpy(65_538, 4)
  for (const [size, build] of [
    ...[0, 1, 2, 16, 17].flatMap((size) => Object.values(ways).map((build) => [size, build] as const)),
    [16_383, ways.compacted],
    [16_384, ways.compacted],
    [65_534, ways.inserted],
    [65_535, ways.inserted],
    [65_536, ways.inserted],
    [65_538, ways.mixed],
  ] as const) {
    const rows = rowsOf(hashes.slice(0, size))
    const index = build(rows)
    const needles = [hashes[0] ?? zeros, hashes[size - 1] ?? zeros, hashes[16_382] ?? zeros, hashes[65_535] ?? zeros]
    for (const bits of [0, 20, 31, 60]) assertSameHits(index.within(needles, bits), linear(rows, needles, bits))
    t.equal(index.rows, size)
  }
})

t.test('rows that are all equal, all zero or all one are found or not, as by a linear scan', async () => {
  const ones = flippedByBand(zeros, new Array<number>(BANDS).fill(BAND_BITS), randomFrom(1))
  for (const hash of [zeros, ones, seeded(7)]) {
    const rows = rowsOf(new Array<Hash256>(17_000).fill(hash))
    const needles = [zeros, ones, blurred(hash, 31, randomFrom(2))]
    for (const build of [ways.inserted, ways.compacted, ways.mixed]) {
      const index = build(rows)
      for (const bits of [0, 31, 255]) assertSameHits(index.within(needles, bits), linear(rows, needles, bits))
    }
  }
})

t.test('real hashes and copies of them are found as by a linear scan', async (t) => {
  const random = randomFrom(3)
  const real = photographs()
  const copies = Array.from({ length: 18_000 }, (_, i) => blurred(real[i % real.length] ?? zeros, below(random, 80), random))
  const rows = rowsOf([...real, ...copies])
  for (const build of [ways.compacted, ways.mixed, ways.inserted]) {
    const index = build(rows)
    for (const bits of [10, 31, 45, 90]) {
      const needles = sample(random, 6, real.length).map((i) => blurred(real[i] ?? zeros, 20, random))
      assertSameHits(index.within(needles, bits), linear(rows, needles, bits))
    }
  }
  t.pass()
})

t.test('a large segment is probed for wide thresholds too, and is exact', async (t) => {
  const random = randomFrom(4)
  const hashes = clumpy(200_000, 5)
  const rows = rowsOf(hashes)
  const index = ways.compacted(rows)
  for (const bits of [0, 3, 15, 16, 31, 32, 40, 47]) {
    const needles = sample(random, 3, hashes.length).map((i) => blurred(hashes[i] ?? zeros, below(random, 40), random))
    t.not(index.status(bits)[0]?.radii, undefined, 'it is probed')
    assertSameHits(index.within(needles, bits), linear(rows, needles, bits))
  }
  for (const bits of [95, 96, 128]) assertSameHits(index.within([seeded(1)], bits), linear(rows, [seeded(1)], bits))
})

t.test('with sixty-four needles, some equal, each row is found by its nearest needle, the first of equals', async (t) => {
  const random = randomFrom(6)
  const hashes = clumpy(20_000, 7)
  const rows = rowsOf(hashes)
  const some = sample(random, 20, hashes.length).map((i) => hashes[i] ?? zeros)
  const needles = Array.from({ length: 64 }, (_, i) => {
    const near = some[(i * 7) % 20] ?? zeros
    return i % 3 === 0 ? near : blurred(near, below(random, 12), random)
  })
  for (const build of [ways.compacted, ways.mixed]) {
    const index = build(rows)
    for (const bits of [0, 12, 31]) assertSameHits(index.within(needles, bits), linear(rows, needles, bits))
  }
  t.pass()
})

t.test('each row of an image with hundreds of rows is found, equal ones included', async (t) => {
  const hashes = clumpy(20_000, 8)
  const rows = hashes.map((hash, i) => ({ image: i % 40, view: i % 256, hash: i % 5 === 0 ? (hashes[0] ?? zeros) : hash }))
  const needles = [hashes[0] ?? zeros, hashes[999] ?? zeros]
  for (const build of Object.values(ways)) {
    const index = build(rows)
    for (const image of [0, 17]) index.remove(image)
    const live = rows.filter(({ image }) => image !== 0 && image !== 17)
    for (const bits of [0, 31]) assertSameHits(index.within(needles, bits), linear(live, needles, bits))
  }
  t.pass()
})

t.test('more hits than a probe has room for are all found, each once', async (t) => {
  // A tenth of the rows around one place, so that probing there seems worthwhile.
  const random = randomFrom(9)
  const place = seeded(1)
  const others = clumpy(180_000, 10)
  const hashes = Array.from({ length: 200_000 }, (_, i) =>
    i % 10 === 0 ? blurred(place, below(random, 6), random) : (others[i - Math.ceil(i / 10)] ?? zeros),
  )
  const rows = rowsOf(hashes)
  const index = ways.compacted(rows)
  for (const needles of [[place], [others[5] ?? zeros, place, blurred(place, 9, random), place]]) {
    const found = index.within(needles, 25)
    t.ok(found.length >= 20_000)
    assertSameHits(found, linear(rows, needles, 25))
  }
})

function indexOf(rows: readonly Row[], fill: (index: SignalIndex) => void): SignalIndex {
  const index = new SignalIndex()
  fill(index)
  assert.equal(index.liveRows, rows.length)
  return index
}

function insertAll(index: SignalIndex, rows: readonly Row[]): void {
  for (const { image, view, hash } of rows) index.insert(image, view, hash)
}

function compactAll(index: SignalIndex): void {
  while (index.compact(1_000_000));
}

function everyDistance(needle: Hash256, random: Random): Hash256[] {
  return Array.from({ length: HASH_BITS + 1 }, (_, bits) =>
    flippedByBand(
      needle,
      dealt(bits, () => below(random, BANDS)),
      random,
    ),
  )
}

/** Hashes at the threshold, or a bit less or more: in one band, in few, in all, or anywhere. */
function nearThreshold(needle: Hash256, thresholdBits: number, random: Random): Hash256[] {
  const deals: ((band: number) => (i: number) => number)[] = [
    (band) => () => band,
    (band) => (i) => band + (i % 2),
    (band) => (i) => band + (i % 2) * 8,
    (band) => (i) => band + i,
    () => () => below(random, BANDS),
  ]
  const hashes: Hash256[] = []
  for (const bits of [thresholdBits - 1, thresholdBits, thresholdBits + 1]) {
    if (bits < 0) continue
    for (let band = 0; band < BANDS; band++) {
      for (const deal of deals) hashes.push(flippedByBand(needle, dealt(bits, deal(band)), random))
    }
  }
  assert.ok(hashes.every((hash) => Math.abs(distance(hash, needle) - thresholdBits) <= 1))
  return hashes
}
