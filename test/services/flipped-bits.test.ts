// Both sides as models: attackers that search for a stored hash, in every way that we know, and the ordinary
// queries of platforms.

import t from 'tap'
import { dihedralsOf } from '../../packages/hash/src/dihedral.js'
import { distance, HASH_BITS, type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'
import {
  createFlippedBits,
  FLIPPED_BITS,
  type FlippedBits,
  type Suspicion,
} from '../../src/services/matching/probing/flipped-bits.js'
import { randomFrom } from '../helpers/pictures.js'
import { savedHash } from '../helpers/saved.js'

const THRESHOLD_BITS = 31
const ORG = 'org'

function detector(clock = { nowMs: 0 }) {
  return createFlippedBits({ now: () => clock.nowMs })
}

// The same draws each time: a random search may learn little and be detected late, and a test must not depend on
// that.
const random = randomFrom(34)
let hashes = 0

function randomHash(): Hash256 {
  return savedHash(hashes++)
}

function randomInt(below: number): number {
  return Math.floor(random() * below)
}

function flipped(hash: Hash256, bits: Iterable<number>): Hash256 {
  const bytes = Uint8Array.from(hash)
  for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return hashFromBytes(bytes)
}

function someBits(count: number, among = HASH_BITS): Set<number> {
  const bits = new Set<number>()
  while (bits.size < count) bits.add(randomInt(among))
  return bits
}

/** Asks as an attacker that sees matches without distances. @returns the answers and what the detector reports. */
function asking(probing: FlippedBits, stored: Hash256, imageId = 'image') {
  const state: { suspicion: Suspicion; asked: number } = { suspicion: 'none', asked: 0 }
  const ask = (hash: Hash256): boolean => {
    state.asked++
    const isMatch = distance(hash, stored) <= THRESHOLD_BITS
    state.suspicion = probing.look(ORG, 'pdq', [hash], isMatch ? imageId : undefined)
    return isMatch
  }
  return { state, ask }
}

/** From a copy to the edge of the match: one bit more and it does not match. */
function toTheEdge(ask: (hash: Hash256) => boolean, from: Hash256): Hash256 {
  let edge = from
  for (const bit of someBits(HASH_BITS)) {
    const next = flipped(edge, [bit])
    if (ask(next)) edge = next
    else break
  }
  return edge
}

const SEARCHES: Readonly<Record<string, (ask: (hash: Hash256) => boolean, copy: Hash256) => Generator<void, void, void>>> = {
  *'bit by bit at the edge'(ask, copy) {
    const edge = toTheEdge(ask, copy)
    for (let bit = 0; bit < HASH_BITS; bit++) {
      ask(flipped(edge, [bit]))
      yield
    }
  },
  *'by pairs, so that as many bits are set as before'(ask, copy) {
    const edge = toTheEdge(ask, copy)
    for (let i = 0; i < 2 * HASH_BITS; i++) {
      ask(flipped(edge, someBits(2)))
      yield
    }
  },
  *'by climbing: whatever still matches is the next to go on from'(ask, copy) {
    let at = toTheEdge(ask, copy)
    for (let round = 0; round < 3; round++) {
      for (let bit = 0; bit < HASH_BITS; bit++) {
        const next = flipped(at, [bit])
        if (ask(next)) at = next
        yield
      }
    }
  },
  *'with a harmless question of the same picture after each'(ask, copy) {
    const edge = toTheEdge(ask, copy)
    for (let bit = 0; bit < HASH_BITS; bit++) {
      ask(flipped(edge, [bit]))
      ask(copy)
      ask(flipped(copy, someBits(4, 40)))
      yield
    }
  },
}

t.test('every search for a stored hash is detected before most of its bits can be known', async (t) => {
  for (const [name, search] of Object.entries(SEARCHES)) {
    const stored = randomHash()
    const { ask, state } = asking(detector(), stored)
    const copy = flipped(stored, someBits(12))
    ask(copy)
    const states: Suspicion[] = []
    for (const _ of search(ask, copy)) {
      states.push(state.suspicion)
      if (state.suspicion === 'close') break
    }
    t.equal(states.at(-1), 'close', name)
    t.ok(states.includes('slow'), `${name}: slowed down first`)
    t.comment(`${name}: ${state.asked} questions`)
  }
})

/** From a copy, by steps that stay within `depthBits` of the stored hash, to a hash at that distance. */
function toDepth(ask: (hash: Hash256) => boolean, from: Hash256, stored: Hash256, depthBits: number): Hash256 {
  let at = from
  for (const bit of someBits(HASH_BITS)) {
    if (distance(at, stored) === depthBits) break
    const next = flipped(at, [bit])
    if (distance(next, stored) <= depthBits && ask(next)) at = next
  }
  ask(at)
  return at
}

// Which group size tells most depends on the depth: the one that makes about half of the queries match.
const GROUPS = [
  { depthBits: 31, sizes: [1, 2, 4, 6, 7, 8, 9, 10, 12, 16] },
  { depthBits: 28, sizes: [6, 8, 9, 10, 12] },
  { depthBits: 24, sizes: [8, 10, 12, 16] },
  { depthBits: 20, sizes: [12, 16, 20] },
  { depthBits: 16, sizes: [16, 20, 24] },
  { depthBits: 12, sizes: [20, 24] },
]

t.test('a search by groups of bits is detected, whatever their size and wherever it starts', async (t) => {
  for (const { depthBits, sizes } of GROUPS) {
    for (const size of sizes) {
      for (const hiding of [0, 1]) {
        const stored = randomHash()
        const { ask, state } = asking(detector(), stored)
        const copy = flipped(stored, someBits(12))
        ask(copy)
        const centre = toDepth(ask, copy, stored, depthBits)
        for (let i = 0; i < 2 * HASH_BITS && state.suspicion !== 'close'; i++) {
          ask(flipped(centre, someBits(size)))
          if (hiding > 0) ask(flipped(centre, [i % 3]))
        }
        t.equal(state.suspicion, 'close', `${depthBits} bits deep, by ${size}, ${hiding} more to hide each`)
      }
    }
  }
})

t.test('a search that alternates between all eight orientations is detected as one', async (t) => {
  const stored = randomHash()
  const probing = detector()
  const state: { suspicion: Suspicion } = { suspicion: 'none' }
  const ask = (hash: Hash256, flipped: number) => {
    const hashes = dihedralsOf(dihedralsOf(hash)[flipped] ?? hash)
    const isMatch = hashes.some((orientation) => distance(orientation, stored) <= THRESHOLD_BITS)
    state.suspicion = probing.look(ORG, 'pdq', hashes, isMatch ? 'image' : undefined)
    return isMatch
  }
  const edge = toTheEdge((hash) => ask(hash, 0), flipped(stored, someBits(12)))
  const copy = flipped(stored, someBits(12))
  for (let flipped = 0; flipped < 8; flipped++) ask(copy, flipped)
  for (let bit = 0; bit < HASH_BITS && state.suspicion !== 'close'; bit++) ask(flipped(edge, [bit]), bit % 8)
  t.equal(state.suspicion, 'close')
})

t.test('an attacker at the edge of a match is detected by groups that all miss, between hiding queries', async (t) => {
  const stored = randomHash()
  const { ask, state } = asking(detector(), stored)
  const EDGE_BITS = 27
  let edge = stored
  ask(edge)
  for (let bit = 0; bit < EDGE_BITS; bit++) {
    edge = flipped(edge, [bit])
    ask(edge)
  }
  for (let i = 0; i < 2 * HASH_BITS && state.suspicion !== 'close'; i++) {
    ask(
      flipped(
        edge,
        Array.from(someBits(8, HASH_BITS - EDGE_BITS), (bit) => EDGE_BITS + bit),
      ),
    )
    for (let hiding = 0; hiding < 3; hiding++) ask(flipped(edge, [hiding]))
  }
  t.equal(state.suspicion, 'close')
})

t.test('ten thousand earlier queries for copies do not hide a search', async (t) => {
  const stored = randomHash()
  const { ask, state } = asking(detector(), stored)
  const copy = flipped(stored, someBits(12))
  ask(copy)
  for (let i = 0; i < 10_000; i++) ask(flipped(copy, someBits(12, 40)))
  for (let i = 0; i < 4 * HASH_BITS && state.suspicion !== 'close'; i++) ask(flipped(copy, someBits(20)))
  t.equal(state.suspicion, 'close')
})

t.test('queries for other pictures in between do not push a search out of memory', async (t) => {
  const probing = detector()
  const stored = randomHash()
  const { ask, state } = asking(probing, stored)
  const copy = flipped(stored, someBits(20))
  ask(copy)
  const others = Array.from({ length: 200 }, randomHash)
  for (let bit = 0; bit < HASH_BITS && state.suspicion !== 'close'; bit++) {
    ask(flipped(copy, [bit]))
    const other = bit % others.length
    for (let i = 0; i < 3; i++) probing.look(ORG, 'pdq', [flipped(others[other] ?? copy, someBits(2))], `other ${other}`)
  }
  t.equal(state.suspicion, 'close')
})

t.test('a thousand queries for one viral picture are not suspicious', async (t) => {
  const { ask, state } = asking(detector(), randomHash())
  const picture = randomHash()
  const known = asking(detector(), picture)
  for (let i = 0; i < 1000; i++) {
    known.ask(picture)
    ask(picture)
    if (state.suspicion !== 'none' || known.state.suspicion !== 'none') t.fail('of one picture')
  }
  t.pass()
})

// Measured on photographs: 1,500 copies, cropped, brightened, blurred, overlaid with text and recompressed, flip
// 119 bits in all near one another, and the last 500 of them no new one; copies that were only recompressed flip
// 76. The model is harsher.
t.test('a burst of near copies of one meme is not suspicious, however many', async (t) => {
  for (const weakBits of [80, 130, 155]) {
    const meme = randomHash()
    const probing = detector()
    const { ask, state } = asking(probing, meme)
    ask(meme)
    for (let i = 0; i < 3000; i++) {
      ask(flipped(meme, someBits(randomInt(28), weakBits)))
      if (state.suspicion !== 'none') {
        t.fail(`${weakBits} weak bits, ${i} copies`)
        break
      }
    }
    t.equal(state.suspicion, 'none')
  }
})

t.test('a scan of a whole archive with occasional matches is not suspicious', async (t) => {
  const probing = detector()
  const rows = Array.from({ length: 500 }, randomHash)
  let worst: Suspicion = 'none'
  for (let i = 0; i < 100_000; i++) {
    const suspicion = probing.look(ORG, 'pdq', [randomHash()], undefined)
    if (suspicion !== 'none') worst = suspicion
    if (i % 50 !== 0) continue
    const row = (i / 50) % rows.length
    const copy = flipped(rows[row] ?? randomHash(), someBits(randomInt(12), 100))
    if (probing.look(ORG, 'pdq', [copy], `image ${row}`) !== 'none') worst = 'slow'
  }
  t.equal(worst, 'none')
})

t.test('types and organisations are counted apart, and counts are forgotten in time', async (t) => {
  const clock = { nowMs: 0 }
  const probing = detector(clock)
  const stored = randomHash()
  const { ask, state } = asking(probing, stored)
  ask(stored)
  for (let bit = 0; bit < 199; bit++) ask(flipped(stored, [bit]))
  t.equal(state.suspicion, 'slow')
  t.equal(probing.look('another', 'pdq', [flipped(stored, [200])], 'image'), 'none')
  t.equal(probing.look(ORG, 'blockhash', [flipped(stored, [201])], 'image'), 'none')
  clock.nowMs = FLIPPED_BITS.forgetAfterMs
  probing.forgetOld()
  t.not(probing.look(ORG, 'pdq', [flipped(stored, [202])], undefined), 'none')
  clock.nowMs++
  probing.forgetOld()
  t.equal(probing.look(ORG, 'pdq', [flipped(stored, [202])], undefined), 'none')
})
