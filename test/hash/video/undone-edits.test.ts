import t from 'tap'
import { distance, HASH_BITS } from '../../../packages/hash/src/hash256.js'
import { loadImageHasherSync, MAX_AREA_SIGNALS } from '../../../packages/hash/src/image-hasher.js'
import type { Pixels } from '../../../packages/hash/src/pixels.js'
import type { Extent } from '../../../packages/hash/src/views.js'
import { scenePixels } from '../../helpers/pictures.js'
import { wordsFrom } from '../synthetic.js'

const hasher = loadImageHasherSync()
const [WIDE, HIGH] = [640, 360]
/** Of scenes whose centre says enough to be registered. */
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 10]
/** As near as each of two frames of a line has to be, in partial views. */
const NEAR_BITS = 54
const DESK = 60
const BLACK = 0

/** The scene of a seed in grey, as decoders deliver frames. */
function frame(seed: number): Pixels {
  const { data } = scenePixels(seed, { width: WIDE, height: HIGH })
  const grey = Uint8Array.from({ length: WIDE * HIGH }, (_, i) => data[3 * i + 1] ?? 0)
  return { data: grey, width: WIDE, height: HIGH, channels: 1 }
}

/** Each pixel of the new picture shows the old one where `from` says; the ground where that is outside. */
function moved(
  { data }: Pixels,
  width: number,
  height: number,
  from: (x: number, y: number) => [number, number],
  ground = DESK,
): Pixels {
  const shown = Uint8Array.from({ length: width * height }, (_, i) => {
    const [x, y] = from(i % width, Math.floor(i / width)).map(Math.round) as [number, number]
    return x >= 0 && y >= 0 && x < WIDE && y < HIGH ? (data[y * WIDE + x] ?? 0) : ground
  })
  return { data: shown, width, height, channels: 1 }
}

function cropped(pixels: Pixels, across: number, down: number): Pixels {
  const [left, top] = [0.1 * across * WIDE, 0.1 * down * HIGH]
  return moved(pixels, 0.9 * WIDE, 0.9 * HIGH, (x, y) => [x + left, y + top])
}

/** A screen on a desk, not in the middle, and turned. */
function filmed(pixels: Pixels, angleDeg: number): Pixels {
  const [angle, centreX, centreY] = [(angleDeg * Math.PI) / 180, 430, 250]
  return moved(pixels, 900, 520, (x, y) => {
    const [right, down] = [x - centreX, y - centreY]
    return [
      Math.cos(angle) * right + Math.sin(angle) * down + WIDE / 2,
      Math.cos(angle) * down - Math.sin(angle) * right + HIGH / 2,
    ]
  })
}

/** A story that the frame fills: its middle on a phone's screen, over a bar. With round corners, the screen around it is black. */
function story(pixels: Pixels, radius = 0): Pixels {
  const [wide, high, bar] = [360, 780, 56]
  const scale = HIGH / (high - bar)
  return moved(
    pixels,
    wide,
    high,
    (x, y) => {
      const [across, down] = [Math.min(x, wide - 1 - x), Math.min(y, high - bar - 1 - y)]
      const isCorner = Math.max(across, down) < radius && Math.hypot(radius - across, radius - down) > radius
      return isCorner || y >= high - bar ? [-1, -1] : [WIDE / 2 + scale * (x + 0.5 - wide / 2), scale * (y + 0.5) - 0.5]
    },
    BLACK,
  )
}

/** Distance of the nearest view of a query's frame to a registered one. */
function nearest(asked: Pixels, registered: Pixels, extents: readonly Extent[], rowsOf: Extent = 'thin'): number {
  const rows = hasher.parts(registered, 'register', undefined, rowsOf).signals
  const needles = extents.flatMap((extent) => hasher.parts(asked, 'query', undefined, extent).signals)
  const bits = needles.flatMap(({ hashes }) =>
    hashes.flatMap((hash) => rows.map((row) => distance(hash, row.hashes[0] ?? hash))),
  )
  return Math.min(HASH_BITS, ...bits)
}

t.test('a copy that was cropped by a tenth is found by the centre of a full frame, wherever it was cropped', async (t) => {
  const word = wordsFrom(3)
  const share = () => word() / 2 ** 32
  let found = 0
  for (const seed of SEEDS) {
    const copy = cropped(frame(seed), share(), share())
    const [likely, ...more] = [['likely'], ['pieces'], ['crops'], ['pieces', 'crops']].map((extents) =>
      nearest(copy, frame(seed), extents as Extent[], 'full'),
    )
    t.ok((more[2] ?? HASH_BITS) <= NEAR_BITS, `${seed}: ${[likely, ...more]} bits`)
    found += Number((likely ?? 0) <= NEAR_BITS)
  }
  t.ok(found < SEEDS.length, 'without these crops fewer are found')
})

t.test('each of 25 places of the centre is tried in one of two frames', async (t) => {
  const places = [0, 0.25, 0.5, 0.75, 1]
  const isFirst = (place: number) => place % 0.5 === 0
  for (const across of places) {
    for (const down of places) {
      const copy = cropped(frame(2), across, down)
      const [pieces, crops] = (['pieces', 'crops'] as const).map((extent) => nearest(copy, frame(2), [extent], 'full'))
      const bits = (isFirst(across) && isFirst(down) ? pieces : crops) ?? HASH_BITS
      t.ok(bits <= 16, `${across} ${down}: ${pieces} and ${crops} bits`)
    }
  }
})

t.test('a screen that was filmed out of plumb is found, to whichever side it is turned', async (t) => {
  for (const angleDeg of [2.5, -2.5]) {
    for (const seed of SEEDS) {
      const copy = filmed(frame(seed), angleDeg)
      const [likely, crops] = (['likely', 'crops'] as const).map((extent) => nearest(copy, frame(seed), [extent]))
      t.ok((crops ?? HASH_BITS) <= 40, `${angleDeg}° ${seed}: ${crops} bits, not ${likely}`)
    }
  }
})

t.test('a story that a frame fills is found by parts that registrations cut in the same way', async (t) => {
  const [likely = 0, ...more] = (['likely', 'pieces', 'crops'] as const).map((extent) =>
    nearest(story(frame(2)), frame(2), [extent], 'full'),
  )
  t.ok(likely > NEAR_BITS, `${likely} bits without these parts`)
  for (const bits of more) t.ok(bits <= 16, `${bits} bits`)
})

t.test('round corners leave room for likely parts: those that registrations cut in the same way come last', async (t) => {
  const likely = (seed: number, extent: Extent) =>
    hasher
      .parts(story(frame(seed), 40), 'query', undefined, extent)
      .signals.filter(({ view, hashes }) => view === 'deframed' && hashes.length === 8).length
  for (const seed of SEEDS) t.equal(likely(seed, 'likely'), Math.min(4, likely(seed, 'all')), `${seed}`)
})

t.test('a frame has four parts without a frame, and parts that are too plain leave room for others', async (t) => {
  for (const seed of SEEDS) {
    const pixels = filmed(frame(seed), 1)
    const [all, likely] = (['all', 'likely'] as const).map((extent) =>
      hasher.parts(pixels, 'query', undefined, extent).signals.filter(({ view }) => view === 'deframed'),
    )
    // Only a picture's say where they lie and which show a photograph.
    t.same(
      likely,
      all?.slice(0, 4).map(({ part: _, isPicture: _also, ...signal }) => signal),
    )
  }
})

t.test('a frame has no more views than a picture, and what it has without these crops comes first', async (t) => {
  for (const seed of SEEDS) {
    const pixels = filmed(frame(seed), 1)
    const [likely = [], ...more] = (['likely', 'pieces', 'crops'] as const).map(
      (extent) => hasher.parts(pixels, 'query', undefined, extent).signals,
    )
    for (const signals of more) {
      t.same(signals.slice(0, likely.length), likely)
      t.ok(signals.length > likely.length && signals.length <= MAX_AREA_SIGNALS)
      t.ok(signals.slice(likely.length).every(({ view, hashes }) => view !== 'deframed' && hashes.length === 2))
    }
  }
})
