import { SignalIndex } from '../dist/packages/core/src/search/signal-index.js'
import { hashFromBytes } from '../dist/packages/hash/src/hash256.js'

export function newWorld(size, random) {
  const centres = Array.from({ length: 1 + below(random, 12) }, () => randomHash(random))
  return {
    random,
    size,
    index: new SignalIndex(),
    centres,
    // Maximum distance of rows from a centre: in some worlds most rows are near each other, in some none.
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

export function load(world, count) {
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

/** A new image in most cases, or another row of an existing one. */
export function someImage(world) {
  const { random, images } = world
  if (images.length > 0 && random() < 0.3) return images[random() < 0.5 ? images.length - 1 : below(random, images.length)]
  return world.nextImage++
}

export function addRow(world, image, row) {
  const rows = world.rowsOfImage.get(image)
  if (rows === undefined) {
    world.rowsOfImage.set(image, [row])
    world.images.push(image)
    if (world.random() < 0.01) world.nextImage += below(world.random, 2_000)
  } else rows.push(row)
  world.rows++
}

export function someHash({ random, centres, blurBits, strangers }) {
  if (random() < strangers) return randomHash(random)
  const centre = centres[below(random, centres.length)]
  const way = below(random, 10)
  if (way === 0) return centre
  if (way === 1) return dealtAround(centre, random)
  if (way === 2) return sharingBands(centre, random)
  return blurred(centre, below(random, blurBits), random)
}

export function question(world) {
  const { random, centres } = world
  const thresholdBits = random() < 0.4 ? 31 : below(random, random() < 0.9 ? 97 : 257)
  const count = random() < 0.1 ? 1 + below(random, world.rows > 5_000 ? 8 : 64) : 1 + below(random, 3)
  const needles = Array.from({ length: count }, () => {
    const way = random()
    if (way < 0.4) return centres[below(random, centres.length)]
    if (way < 0.5) return randomHash(random)
    return someHash(world)
  })
  // Many copies of one needle pause the search often, and are answered as the first.
  if (world.rows > 5_000 && random() < 0.3) {
    while (needles.length < 64) needles.push(needles[below(random, Math.min(needles.length, 3))])
  }
  return { needles, thresholdBits }
}

/** Flipped bits in the hardest distributions for a plan: spread over all bands in turn, or all in few. */
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

/** Equal in some bands, unrelated in the others. */
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

/** Compares every row with every needle. */
export function oracle({ rowsOfImage }, needles, thresholdBits) {
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

export function pickBy(things, weightOf, random) {
  let left = random() * things.reduce((sum, thing) => sum + weightOf(thing), 0)
  for (const thing of things) {
    left -= weightOf(thing)
    if (left < 0) return thing
  }
  return things.at(-1)
}

export function below(random, end) {
  return Math.floor(random() * end)
}

/** Mulberry32. */
export function randomFrom(start) {
  let state = start | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
