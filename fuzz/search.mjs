// Any order of changes and searches, against a plain Map that is asked by reading it all.
//
//   node build.mjs && node fuzz/search.mjs [--steps 2000000] [--minutes 60] [--seed 1] [--episode 17]
//
// An episode begins with an empty index and keeps to one seed, kind of rows and size. On the first answer that differs the
// seed, the episode and the step are printed, and the exit code is 1; `--episode` repeats one alone.

import assert from 'node:assert/strict'
import { parseArgs } from 'node:util'
import { hashFromBytes } from '../dist/packages/hash/src/hash256.js'
import { SignalIndex } from '../dist/src/search/signal-index.js'

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '2000000' },
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    episode: { type: 'string' },
  },
})
const [steps, minutes, seed] = [values.steps, values.minutes, values.seed].map(Number)

/** How many rows an episode tends to, how often it is chosen, and how many steps it has. */
const SIZES = [
  { name: 'tiny', share: 0.38, rows: 20, steps: 2_000 },
  { name: 'small', share: 0.45, rows: 600, steps: 4_000 },
  { name: 'medium', share: 0.12, rows: 20_000, steps: 3_000 },
  { name: 'large', share: 0.02, rows: 90_000, steps: 2_000 },
  { name: 'growing', share: 0.03, rows: 150_000, steps: 150_000 },
]

const ACTIONS = ['insert', 'remove', 'load', 'within', 'begin', 'advance', 'compact', 'check', 'dump', 'clear']
/** How often each is done, by the size of the index, because a search of many rows takes the oracle long. */
const WEIGHTS = {
  tiny: [30, 12, 3, 25, 5, 10, 2, 1, 0.2, 0.1],
  small: [40, 14, 1, 12, 3, 8, 2, 0.5, 0.05, 0.02],
  medium: [60, 20, 0.5, 2, 3, 8, 6, 1, 0.05, 0.01],
  large: [60, 30, 0.5, 1, 2, 6, 6, 1, 0.05, 0.01],
  growing: [1_000, 50, 0.02, 0.3, 0.5, 1, 1, 0.1, 0.01, 0.001],
}

const totals = { episodes: 0, steps: 0, searches: 0, finished: 0, pauses: 0, hits: 0, rowsMost: 0, segments: 0, cleared: 0 }

function run(episode) {
  const random = randomFrom(seed * 65_537 + episode)
  const size = pickBy(SIZES, ({ share }) => share, random)
  const world = newWorld(size, random)
  const actions = ACTIONS.map((action, i) => [action, WEIGHTS[size.name][i]])
  let step = 0
  try {
    if (size.name === 'medium' || size.name === 'large') load(world, below(random, size.rows))
    for (; step < size.steps; step++) {
      const [action] = pickBy(actions, ([, weight]) => weight, random)
      take[action](world)
    }
    while (world.searches.length > 0) advance(world, world.searches[0])
    checkCompacted(world)
  } catch (error) {
    console.error(`seed ${seed} episode ${episode} (${size.name}) step ${step} of ${size.steps}`)
    console.error(error)
    process.exit(1)
  }
  totals.episodes++
  totals.steps += size.steps
}

function newWorld(size, random) {
  const centres = Array.from({ length: 1 + below(random, 12) }, () => randomHash(random))
  return {
    random,
    size,
    index: new SignalIndex(),
    centres,
    // How far from a centre rows lie, at most: in some worlds most are near each other, in some none.
    blurBits: [3, 40, 90, 200][below(random, 4)],
    strangers: random() < 0.3 ? 0.9 : random() * 0.3,
    rowsOfImage: new Map(),
    images: [],
    rows: 0,
    nextImage: below(random, 3) * 1_000,
    lastRemoved: undefined,
    searches: [],
  }
}

const take = {
  insert(world) {
    const { random, index } = world
    if (world.rows > world.size.rows && random() < 0.7) return take.remove(world)
    if (world.lastRemoved !== undefined && random() < 0.01) {
      assert.throws(() => index.insert(world.lastRemoved, 0, world.centres[0]), RangeError)
      return
    }
    const image = someImage(world)
    const row = { view: below(random, 256), hash: someHash(world) }
    index.insert(image, row.view, row.hash)
    addRow(world, image, row)
  },

  remove(world) {
    const { random, index, images } = world
    if (images.length === 0) return index.remove(world.nextImage + 5)
    // The oldest often, so that whole parts die.
    const at = random() < 0.3 ? below(random, Math.ceil(images.length / 20)) : below(random, images.length)
    const image = images[at]
    images[at] = images.at(-1)
    images.pop()
    index.remove(image)
    world.rows -= world.rowsOfImage.get(image).length
    world.rowsOfImage.delete(image)
    world.lastRemoved = image
    for (const search of world.searches) search.gone.add(image)
    if (random() < 0.05) index.remove(image)
  },

  load(world) {
    load(world, below(world.random, world.random() < 0.1 ? world.size.rows : 30))
  },

  within(world) {
    const { needles, thresholdBits } = question(world)
    totals.searches++
    compare(world.index.within(needles, thresholdBits), oracle(world, needles, thresholdBits))
  },

  begin(world) {
    if (world.searches.length >= 5) return
    const { needles, thresholdBits } = question(world)
    totals.searches++
    world.searches.push({
      steps: world.index.search(needles, thresholdBits),
      expected: oracle(world, needles, thresholdBits),
      gone: new Set(),
      isCleared: false,
    })
  },

  advance(world) {
    const search = world.searches[below(world.random, world.searches.length)]
    if (search !== undefined) advance(world, search)
  },

  compact(world) {
    world.index.compact(Math.ceil(2 ** (world.random() * 21)))
  },

  check(world) {
    const { index, rows } = world
    assert.equal(index.liveRows, rows)
    assert.ok(index.rows >= rows)
    totals.rowsMost = Math.max(totals.rowsMost, index.rows)
    totals.segments += index.status(31).filter(({ kind }) => kind === 'segment').length
    if (world.random() < 0.1) checkCompacted(world)
  },

  dump(world) {
    const copy = new SignalIndex()
    for (const piece of world.index.dump()) {
      if (piece.kind === 'rows') copy.load(piece)
      else {
        const { content, adopt } = copy.restore(piece.rows, piece.counts)
        content.set(piece.content)
        for (const _ of adopt((image) => world.rowsOfImage.has(image)));
      }
    }
    const { needles, thresholdBits } = question(world)
    assert.equal(copy.liveRows, world.rows)
    compare(copy.within(needles, thresholdBits), oracle(world, needles, thresholdBits))
  },

  clear(world) {
    world.index.clear()
    world.rowsOfImage.clear()
    world.images.length = 0
    world.rows = 0
    world.lastRemoved = undefined
    // Numbers may be used anew.
    world.nextImage = below(world.random, 10)
    for (const search of world.searches) search.isCleared = true
    totals.cleared++
  },
}

function advance(world, search) {
  const next = search.steps.next()
  if (next.done !== true) {
    totals.pauses++
    return
  }
  world.searches.splice(world.searches.indexOf(search), 1)
  totals.finished++
  compare(next.value, search.isCleared ? [] : search.expected.filter(({ image }) => !search.gone.has(image)))
}

function load(world, count) {
  const images = new Uint32Array(count)
  const views = new Uint8Array(count)
  const hashes = new Uint8Array(count * 32)
  const rows = []
  for (let i = 0; i < count; i++) {
    const image = i > 0 && world.random() < 0.2 ? images[i - 1] : someImage(world)
    const row = { view: below(world.random, 256), hash: someHash(world) }
    images[i] = image
    views[i] = row.view
    hashes.set(row.hash, i * 32)
    rows.push([image, row])
  }
  world.index.load({ images, views, hashes })
  for (const [image, row] of rows) addRow(world, image, row)
}

function checkCompacted(world) {
  const { index, rows } = world
  for (let calls = 0; index.compact(500_000); calls++) assert.ok(calls < 10_000)
  assert.equal(index.rows, rows)
  assert.ok(index.status(0).every(({ deadRows }) => deadRows === 0))
  take.within(world)
}

/** A new image mostly, or another row of one that is there. */
function someImage(world) {
  const { random, images } = world
  if (images.length > 0 && random() < 0.3) return images[random() < 0.5 ? images.length - 1 : below(random, images.length)]
  return world.nextImage++
}

function addRow(world, image, row) {
  const rows = world.rowsOfImage.get(image)
  if (rows === undefined) {
    world.rowsOfImage.set(image, [row])
    world.images.push(image)
    if (world.random() < 0.01) world.nextImage += below(world.random, 2_000)
  } else rows.push(row)
  world.rows++
}

function someHash({ random, centres, blurBits, strangers }) {
  if (random() < strangers) return randomHash(random)
  const centre = centres[below(random, centres.length)]
  const way = below(random, 10)
  if (way === 0) return centre
  if (way === 1) return dealtAround(centre, random)
  if (way === 2) return sharingBands(centre, random)
  return blurred(centre, below(random, blurBits), random)
}

function question(world) {
  const { random, centres } = world
  const thresholdBits = random() < 0.4 ? 31 : below(random, random() < 0.9 ? 97 : 257)
  const count = random() < 0.1 ? 1 + below(random, world.rows > 5_000 ? 8 : 64) : 1 + below(random, 3)
  const needles = Array.from({ length: count }, () => {
    const way = random()
    if (way < 0.4) return centres[below(random, centres.length)]
    if (way < 0.5) return randomHash(random)
    return someHash(world)
  })
  // The same needle many times over pauses often, and is answered as the first of them.
  if (world.rows > 5_000 && random() < 0.3) {
    while (needles.length < 64) needles.push(needles[below(random, Math.min(needles.length, 3))])
  }
  return { needles, thresholdBits }
}

/** Bits dealt as a plan finds it hardest: one after the other over all bands, or all in few. */
function dealtAround(centre, random) {
  const hash = Uint8Array.from(centre)
  const bits = below(random, 100)
  const first = below(random, 16)
  const bands = 1 + below(random, 16)
  for (let i = 0; i < bits; i++) {
    const bit = ((first + (i % bands)) % 16) * 16 + (Math.floor(i / bands) % 16)
    hash[bit >>> 3] ^= 1 << (bit & 7)
  }
  return hashFromBytes(hash)
}

/** Equal in some bands, strange in the others. */
function sharingBands(centre, random) {
  const hash = Uint8Array.from(randomHash(random))
  for (let band = 0; band < 16; band++) {
    if (random() < 0.4) hash.set(centre.subarray(band * 2, band * 2 + 2), band * 2)
  }
  return hashFromBytes(hash)
}

function blurred(centre, bits, random) {
  const hash = Uint8Array.from(centre)
  for (let i = 0; i < bits; i++) {
    const bit = below(random, 256)
    hash[bit >>> 3] ^= 1 << (bit & 7)
  }
  return hashFromBytes(hash)
}

function randomHash(random) {
  return hashFromBytes(Uint8Array.from({ length: 32 }, () => below(random, 256)))
}

/** Every row against every needle. */
function oracle({ rowsOfImage }, needles, thresholdBits) {
  // Equal needles are answered as the first of them.
  const first = new Map()
  for (const [transform, needle] of needles.entries()) {
    const key = String(needle)
    if (!first.has(key)) first.set(key, { transform, words: wordsOf(needle) })
  }
  const asked = [...first.values()]
  const hits = []
  for (const [image, rows] of rowsOfImage) {
    for (const row of rows) {
      row.words ??= wordsOf(row.hash)
      let nearest
      let least = thresholdBits + 1
      for (const each of asked) {
        const bits = distance(row.words, each.words)
        if (bits >= least) continue
        least = bits
        nearest = each
      }
      if (nearest !== undefined) hits.push({ image, view: row.view, transform: nearest.transform, distanceBits: least })
    }
  }
  return hits
}

function wordsOf(hash) {
  return new Int32Array(Uint8Array.from(hash).buffer)
}

function distance(a, b) {
  let bits = 0
  for (let i = 0; i < 8; i++) {
    let x = a[i] ^ b[i]
    x -= (x >>> 1) & 0x55555555
    x = (x & 0x33333333) + ((x >>> 2) & 0x33333333)
    bits += Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
  }
  return bits
}

function compare(found, expected) {
  totals.hits += found.length
  const [has, wants] = [found, expected].map((hits) => Float64Array.from(hits, keyOf).sort())
  if (has.length === wants.length && has.every((key, i) => key === wants[i])) return
  const [hasOnce, wantsOnce] = [new Set(has), new Set(wants)]
  const shown = (keys, others) => keys.filter((hit) => !others.has(keyOf(hit))).slice(0, 5)
  assert.deepEqual(
    { missing: shown(expected, hasOnce), extra: shown(found, wantsOnce), count: has.length },
    { missing: [], extra: [], count: wants.length },
  )
}

/** One number for one hit, as long as image numbers stay below 2²⁹. */
function keyOf({ image, view, transform, distanceBits }) {
  return ((image * 256 + view) * 64 + transform) * 512 + distanceBits
}

function pickBy(things, weightOf, random) {
  let left = random() * things.reduce((sum, thing) => sum + weightOf(thing), 0)
  for (const thing of things) {
    left -= weightOf(thing)
    if (left < 0) return thing
  }
  return things.at(-1)
}

function below(random, end) {
  return Math.floor(random() * end)
}

/** Mulberry32. */
function randomFrom(start) {
  let state = start | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const begun = Date.now()
console.log(`seed ${seed}`)
if (values.episode !== undefined) run(Number(values.episode))
else for (let episode = 0; totals.steps < steps && Date.now() - begun < minutes * 60_000; episode++) run(episode)
console.log(`seed ${seed}: no difference`, JSON.stringify({ ...totals, seconds: Math.round((Date.now() - begun) / 1_000) }))
