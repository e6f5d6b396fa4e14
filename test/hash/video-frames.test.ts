import t from 'tap'
import { hashVideo } from '../../packages/hash/src/hash-image.js'
import { formatHash, HASH_BYTES, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { loadImageHasherSync } from '../../packages/hash/src/image-hasher.js'
import type { Pixels } from '../../packages/hash/src/pixels.js'
import {
  createVideoHasher,
  FRAME_INTERVAL_MS,
  MAX_ASKED_VIDEO_SIGNALS,
  MAX_VIDEO_MS,
  MAX_VIDEO_SIGNALS,
  type VideoSignals,
} from '../../packages/hash/src/video-frames.js'
import type { Purpose, ViewKind } from '../../packages/hash/src/views.js'
import { greyScene, wordsFrom } from './synthetic.js'

const SIZE = { width: 160, height: 120 }
const hasher = loadImageHasherSync()
const purposes = ['register', 'query'] as const

const frame = (seed: number) => greyScene(seed, SIZE)
const blank: Pixels = { data: new Uint8Array(SIZE.width * SIZE.height).fill(9), ...SIZE, channels: 1 }

/** Four frames a second. */
function hashed(purpose: Purpose, frames: readonly Pixels[], durationMs = frames.length * FRAME_INTERVAL_MS): VideoSignals {
  const video = createVideoHasher(hasher, purpose)
  frames.forEach((pixels, i) => {
    video.add(i * FRAME_INTERVAL_MS, pixels)
  })
  return video.result(durationMs)
}

const timesOf = ({ frames }: VideoSignals) => frames.map(({ atMs }) => atMs)
const many = (count: number, pixels: Pixels) => Array.from({ length: count }, () => pixels)

t.test(
  'a single frame is registered by all views but pieces and tilted, and queried by whole, deframed, pieces and crops',
  async (t) => {
    for (const purpose of purposes) {
      const { frames, ...rest } = hashed(purpose, [frame(1)], 40)
      t.same(rest, { durationMs: 40, protectedShare: 1 })
      t.same(
        frames.map(({ atMs }) => atMs),
        [0],
      )
      const all = hasher.hash(frame(1), purpose).signals
      const wanted = purpose === 'register' ? ['whole', 'deframed'] : ['whole', 'piece']
      for (const view of wanted) {
        // A frame does not say where its parts lie.
        const of = (signals: typeof all) =>
          signals.filter((signal) => signal.view === view).map(({ part: _, ...signal }) => signal)
        t.same(of(frames[0]?.signals ?? []), of(all), `${purpose} ${view}`)
      }
      const kinds = new Set(frames[0]?.signals.map(({ view }) => view))
      t.same([...kinds], purpose === 'register' ? ['whole', 'crop'] : ['whole', 'deframed', 'piece', 'tilted'])
    }
  },
)

t.test('a thin frame has the first signals of a full one, so that a full one can be reduced to it', async (t) => {
  for (const seed of [1, 2, 3]) {
    const [full, thin, sparse] = (['full', 'thin', 'sparse'] as const).map(
      (extent) => hasher.parts(frame(seed), 'register', 2, extent).signals,
    )
    t.same(thin, full?.slice(0, thin?.length))
    t.same(sparse, thin?.slice(0, 1), 'a sparse frame has the whole')
    t.match(thin?.filter(({ view }) => view === 'crop').length, /^[01]$/)
    t.ok((full?.length ?? 0) > (thin?.length ?? 0))
  }
})

t.test('a frame like earlier ones adds nothing', async (t) => {
  for (const purpose of purposes) {
    t.same(timesOf(hashed(purpose, many(60, frame(1)))), [0], purpose)
    const slides = [1, 2, 3].flatMap((seed) => many(20, frame(seed)))
    t.same(timesOf(hashed(purpose, slides)), [0, 5000, 10_000], `${purpose}: a slideshow`)
  }
})

t.test('a video without structure registers nothing, and the result reports the protected share', async (t) => {
  for (const purpose of purposes) {
    t.same(hashed(purpose, []), { durationMs: 0, frames: [], protectedShare: 0 })
    t.same(hashed(purpose, many(20, blank)), { durationMs: 5000, frames: [], protectedShare: 0 })
    const late = hashed(purpose, [...many(240, blank), ...many(80, frame(1))])
    t.match(late, { durationMs: 80_000, protectedShare: 0.25 }, 'a blank first minute')
    t.same(timesOf(late), [60_000])
  }
})

t.test('a frame protects two seconds, in case decoding ended early', async (t) => {
  t.match(hashed('register', [frame(1)], 8000), { durationMs: 8000, protectedShare: 0.25 })
  t.match(
    hashed('register', many(40, frame(1)), 5000),
    { durationMs: 9750, protectedShare: 1 },
    'a duration that is too short',
  )
  const late = createVideoHasher(hasher, 'register')
  late.add(90, frame(1))
  t.match(late.result(1000), { protectedShare: 1 }, 'some files start late')
})

t.test('a sign is not registered and may be queried', async (t) => {
  const isInk = (x: number, y: number) => (x > 30 && x < 60 && y > 20 && y < 100) || (x > 30 && x < 130 && y > 70 && y < 100)
  const data = Uint8Array.from({ length: SIZE.width * SIZE.height }, (_, i) =>
    isInk(i % SIZE.width, Math.floor(i / SIZE.width)) ? 250 : 10,
  )
  const sign: Pixels = { data, ...SIZE, channels: 1 }
  t.ok(hasher.whole(sign).quality >= 50)
  t.same(hashed('register', many(8, sign)), { durationMs: 2000, frames: [], protectedShare: 0 })
  t.same(timesOf(hashed('query', many(8, sign))), [0])
  t.same(timesOf(hashed('register', [sign, sign, frame(1), sign])), [500])
})

t.test('frames at unwanted times are ignored, and impossible times are refused', async (t) => {
  for (const purpose of purposes) {
    const video = createVideoHasher(hasher, purpose)
    const wanted: number[] = []
    for (const atMs of [-40, -0.2, 0, 0, 33, 249.9, 250.2, 100, 700, 749, 999.6, 1000, 1250]) {
      if (atMs >= video.nextMs) wanted.push(Math.round(atMs))
      video.add(atMs, frame(100 + Math.round(Math.abs(atMs))))
    }
    t.same(wanted, [0, 250, 700, 1000, 1250])
    t.same(timesOf(video.result(2000)), wanted)
    t.equal(video.nextMs, 1500)
    for (const atMs of [Number.NaN, Number.POSITIVE_INFINITY, MAX_VIDEO_MS + 1])
      t.throws(() => video.add(atMs, frame(1)), RangeError)
    for (const ms of [Number.NaN, -1, Number.POSITIVE_INFINITY, MAX_VIDEO_MS + 1])
      t.throws(() => video.result(ms), RangeError)
    t.throws(() => video.add(1500, { ...frame(1), width: 161 }), RangeError)
    t.same(timesOf(video.result(2000)), wanted, 'nothing of them is kept')
    video.add(MAX_VIDEO_MS, frame(1))
    t.equal(timesOf(video.result(MAX_VIDEO_MS)).at(-1), MAX_VIDEO_MS)
  }
})

t.test('the signals of a video are bounded, and a million frames cost only the wanted ones', async (t) => {
  const most = { register: MAX_VIDEO_SIGNALS, query: MAX_ASKED_VIDEO_SIGNALS }
  for (const purpose of purposes) {
    const word = wordsFrom(7)
    let hashes = 0
    // A hasher to which each frame looks different, with more views than the real one.
    const video = createVideoHasher(
      {
        ...hasher,
        whole() {
          hashes++
          const hash = hashFromBytes(Uint8Array.from({ length: HASH_BYTES }, () => word() >>> 24))
          return { type: 'pdq', view: 'whole', quality: 100, hashes: [hash] }
        },
        parts: (_, _purpose, _aspect, extent = 'all') => ({
          signals: Array.from({ length: extent === 'thin' || extent === 'likely' ? 4 : 32 }, (_, i) => ({
            type: 'pdq-area',
            view: (i < 4 ? 'deframed' : purpose === 'register' ? 'crop' : 'piece') satisfies ViewKind,
            quality: 100,
            hashes: [],
          })),
          isSimple: false,
          isForm: false,
          isObject: false,
        }),
      },
      purpose,
    )
    for (let i = 0; i < 1e6; i++) {
      video.add((i * MAX_VIDEO_MS) / 1e6, blank)
      video.addBetween(blank)
    }
    const between = purpose === 'register' ? MAX_VIDEO_MS / FRAME_INTERVAL_MS - 1 : 0
    t.equal(hashes, MAX_VIDEO_MS / FRAME_INTERVAL_MS + between)
    const { frames, isThinned } = video.result(MAX_VIDEO_MS)
    t.equal(isThinned, true, 'that it left some out is told')
    const count = frames.reduce((sum, { signals }) => sum + signals.length, 0)
    t.ok(count <= most[purpose] && count > 0.6 * most[purpose], `${purpose}: ${count}`)
  }
})

t.test('hashVideo returns the form of the API and needs one buffer', async (t) => {
  const shared = frame(1)
  async function* frames() {
    for (let i = 0; i < 12; i++) {
      shared.data.set(frame(1 + (i >> 2)).data)
      yield { atMs: i * FRAME_INTERVAL_MS, pixels: shared }
      shared.data.fill(0)
    }
  }
  for (const purpose of purposes) {
    const found = hashed(
      purpose,
      Array.from({ length: 12 }, (_, i) => frame(1 + (i >> 2))),
    )
    const expected = found.frames.map(({ atMs, signals }) => ({
      atMs,
      signals: signals.map(({ hashes: [hash], ...signal }) => ({ ...signal, hash: hash && formatHash(hash) })),
    }))
    t.same(await hashVideo(frames(), { purpose, durationMs: 3000 }), { ...found, frames: expected })
  }
  t.same(await hashVideo(frames()), await hashVideo(frames(), { purpose: 'query', durationMs: 3000 }))
  t.same(await hashVideo([]), { durationMs: 0, frames: [], protectedShare: 0 })
  await t.rejects(hashVideo(frames(), { durationMs: MAX_VIDEO_MS + 1 }), RangeError)
})
