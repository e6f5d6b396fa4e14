// Frames halfway between two that differ much: when registrations ask for them, and what they get.

import t from 'tap'
import { hashVideo } from '../../../packages/hash/src/hash-image.js'
import { HASH_BYTES, type Hash256, hashFromBytes } from '../../../packages/hash/src/hash256.js'
import { loadImageHasherSync } from '../../../packages/hash/src/image-hasher.js'
import type { Pixels } from '../../../packages/hash/src/pixels.js'
import { createVideoHasher } from '../../../packages/hash/src/video-frames.js'
import type { Purpose } from '../../../packages/hash/src/views.js'
import { greyScene } from '../synthetic.js'
import { flipped, randomHash } from './seen.js'

const hasher = loadImageHasherSync()
const frame = (seed: number) => greyScene(seed, { width: 160, height: 120 })
const blank: Pixels = { ...frame(1), data: new Uint8Array(160 * 120).fill(9) }

/** A hasher for which the first bytes of the pixels are the hash. */
const told = {
  ...hasher,
  whole: ({ data }: Pixels) => {
    const hash = hashFromBytes(Uint8Array.from(data.subarray(0, HASH_BYTES)))
    return { type: 'pdq' as const, view: 'whole' as const, quality: data[HASH_BYTES] ?? 0, hashes: [hash] }
  },
}
const telling = (hash: Hash256, quality = 100) => {
  const data = frame(1).data.slice()
  data.set(hash)
  data[HASH_BYTES] = quality
  return { ...frame(1), data }
}

t.test('a registration asks for the frame between two in neighbouring intervals that differ by 80 bits', async (t) => {
  const first = randomHash(1)
  const askedFor = (given: readonly (readonly [atMs: number, Pixels])[], purpose: Purpose = 'register') => {
    const video = createVideoHasher(told, purpose)
    return given.map(([atMs, pixels]) => {
      video.add(atMs, pixels)
      return video.betweenMs
    })
  }
  const [plain, near, far] = [telling(first), telling(flipped(first, 79, 2)), telling(flipped(first, 80, 2))]
  t.same(
    askedFor([
      [0, plain],
      [250, far],
    ]),
    [undefined, 125],
  )
  t.same(
    askedFor([
      [0, plain],
      [250, near],
    ]),
    [undefined, undefined],
  )
  t.same(
    askedFor(
      [
        [0, plain],
        [250, far],
      ],
      'query',
    ),
    [undefined, undefined],
  )
  t.same(
    askedFor([
      [0, plain],
      [500, far],
    ]),
    [undefined, undefined],
    'frames are missing',
  )
  t.same(
    askedFor([
      [0, plain],
      [499, far],
    ]),
    [undefined, 250],
  )
  t.same(
    askedFor([
      [249, plain],
      [250, far],
      [500, plain],
    ]),
    [undefined, undefined, 375],
    'there is none between',
  )
  t.same(
    askedFor([
      [0, plain],
      [250, far],
      [251, plain],
    ]),
    [undefined, 125, undefined],
    'it is too late',
  )
  const blank = telling(flipped(first, 80, 2), 49)
  t.same(
    askedFor([
      [0, plain],
      [250, blank],
      [500, plain],
    ]),
    [undefined, undefined, undefined],
    'too plain',
  )
})

t.test('a frame between two is registered by its whole, once, and changes nothing of the others', async (t) => {
  const [plain, other] = [createVideoHasher(hasher, 'register'), createVideoHasher(hasher, 'register')]
  plain.add(0, frame(1))
  plain.add(250, frame(2))
  const own = plain.result(500)
  other.addBetween(frame(3))
  other.add(0, frame(1))
  other.addBetween(frame(3))
  other.add(250, frame(2))
  t.equal(other.betweenMs, 125)
  other.addBetween(frame(3))
  t.equal(other.betweenMs, undefined)
  other.addBetween(frame(4))
  const { frames, ...facts } = other.result(500)
  const [first, between, last] = frames
  t.same({ ...facts, frames: [first, last] }, own)
  t.same([frames.length, between?.atMs], [3, 125])
  t.same(between?.signals, hasher.hash(frame(3), 'register', undefined, 'sparse').signals)
  plain.addBetween(blank)
  t.same(plain.result(500), own, 'one without structure')
})

t.test('hashVideo asks for a frame between two only where it is wanted', async (t) => {
  const asked: number[] = []
  const pictures = [1, 1, 2, 3].map((seed, i) => ({
    atMs: 250 * i,
    pixels: frame(seed),
    between: async () => {
      asked.push(i)
      return i === 2 ? frame(9) : undefined
    },
  }))
  const { frames } = await hashVideo(pictures, { purpose: 'register' })
  t.same(asked, [2, 3])
  t.same(
    frames.map(({ atMs }) => atMs),
    [0, 375, 500, 750],
  )
  await hashVideo(pictures)
  t.same(asked, [2, 3], 'not for a query')
  const without = pictures.map(({ atMs, pixels }) => ({ atMs, pixels }))
  const others = await hashVideo(without, { purpose: 'register' })
  t.same(
    others.frames,
    frames.filter(({ atMs }) => atMs !== 375),
  )
  t.same(others.durationMs, 1000)
})
