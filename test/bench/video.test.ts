// The video benchmark reports what is found: how it counts unrelated films, shared cameras and moments, and how it reads
// frames.

import { join, resolve } from 'node:path'
import t from 'tap'

interface Span {
  readonly fromMs: number
  readonly toMs: number
}
interface Part extends Span {
  readonly atMs: number
  readonly speed: number
}
interface Tallied {
  readonly queries: number
  readonly strangerPairs: number
  readonly sameCameraPairs: number
  readonly sameCameraFalse: number
  readonly falseVideos: Readonly<Record<string, number>>
  readonly moments: { readonly right: number; readonly all: number }
  add(query: object, found: Readonly<Record<string, readonly string[]>>): void
  addMoment(errorMs: number): void
  recall(): ReadonlyMap<string, { readonly queries: number; readonly percent: Readonly<Record<string, number>> }>
}
interface Tallying {
  readonly Tally: new (films: readonly string[]) => Tallied
  readonly momentErrorMs: (segment: { query: Span; registered: Span }, shows: readonly Part[]) => number
}
interface Frame {
  readonly pixels: { readonly data: Uint8Array; readonly width: number; readonly height: number }
  readonly sampleAspect: number
}
interface Frames {
  readonly createY4mReader: (onFrame: (frame: Frame) => void) => { add(bytes: Buffer): void; end(): void }
}
interface Made {
  readonly graph: string
  readonly drawn: readonly unknown[]
  readonly files: readonly unknown[]
  readonly shows: readonly Part[]
}
interface Edits {
  readonly EDITS: readonly {
    readonly id: string
    make(clip: object, random: object, others: readonly object[]): Made | undefined
  }[]
}
interface Options {
  readonly optionsOf: (words: readonly string[]) => { readonly edits: readonly { readonly id: string }[] }
}

const BENCH = resolve(import.meta.dirname, '../../../bench')
const { Tally, momentErrorMs }: Tallying = await import(join(BENCH, 'video/tally.mjs'))
const { createY4mReader }: Frames = await import(join(BENCH, 'video/y4m.mjs'))
const { EDITS }: Edits = await import(join(BENCH, 'video/edits.mjs'))
const { optionsOf }: Options = await import(join(BENCH, 'video/options.mjs'))
const { randomOf }: { randomOf: (seed: string) => object } = await import(join(BENCH, 'variants/random.mjs'))

t.test('unrelated films, films of one camera, and films shown in the same query are told apart', async (t) => {
  const tally = new Tally(['room_a', 'room_b', 'street', 'sea', 'room_c'])
  tally.add({ name: 'room_a', id: 'mirror', beside: [] }, { tabir: ['room_a', 'room_b'], any: [] })
  t.match(tally, { queries: 1, strangerPairs: 2, sameCameraPairs: 2, sameCameraFalse: 1 })
  t.strictSame(tally.falseVideos, { tabir: 0, any: 0 })

  tally.add({ name: 'street', id: 'between', beside: ['room_a'] }, { tabir: ['room_a', 'room_b', 'sea'], any: ['street'] })
  t.match(tally, { queries: 2, strangerPairs: 3, sameCameraPairs: 2, sameCameraFalse: 1 })
  t.strictSame(tally.falseVideos, { tabir: 1, any: 0 })

  tally.add({ name: 'sea', beside: [] }, { tabir: [], any: [] })
  t.strictSame(
    [...tally.recall()],
    [
      ['mirror', { queries: 1, percent: { tabir: 100, any: 0 } }],
      ['between', { queries: 1, percent: { tabir: 0, any: 100 } }],
    ],
    'an unedited film counts as a query, but not as an edit',
  )
})

t.test('a moment is right if it is off by at most a second', async (t) => {
  const tally = new Tally([])
  for (const errorMs of [0, 1000, 1001]) tally.addMoment(errorMs)
  t.strictSame(tally.moments, { right: 2, all: 3 })
})

t.test('the error of a moment is its distance from what the edit shows', async (t) => {
  const errorOf = (query: readonly [number, number], registered: readonly [number, number], shows: readonly Part[]) => {
    const spanOf = ([fromMs, toMs]: readonly [number, number]) => ({ fromMs, toMs })
    return momentErrorMs({ query: spanOf(query), registered: spanOf(registered) }, shows)
  }
  const faster = [{ fromMs: 0, toMs: 8000, atMs: 2000, speed: 1.5 }]
  t.equal(errorOf([0, 8000], [2000, 14_000], faster), 0)
  t.equal(errorOf([0, 4000], [5000, 11_000], faster), 3000)
  const reversed = [{ fromMs: 0, toMs: 6000, atMs: 6000, speed: -1 }]
  t.equal(errorOf([1000, 3000], [3000, 5000], reversed), 0, 'the spans of a reversed film ascend in both')
  const slides = [
    { fromMs: 0, toMs: 2000, atMs: 500, speed: 0 },
    { fromMs: 2000, toMs: 4000, atMs: 9000, speed: 0 },
  ]
  t.equal(errorOf([250, 1500], [500, 500], slides), 0)
  t.equal(errorOf([1000, 3000], [500, 9000], slides), 0)
  t.equal(errorOf([2500, 3500], [500, 500], slides), 8500)
})

t.test('grey frames are read however the stream is cut', async (t) => {
  const header = 'YUV4MPEG2 W3 H2 F4:1 Ip A4:3 Cmono XCOLORRANGE=FULL\n'
  const pixels = Buffer.from([1, 2, 3, 10, 5, 6]) // 10 is also a line end
  const stream = Buffer.concat([Buffer.from(header), Buffer.from('FRAME\n'), pixels, Buffer.from('FRAME\n'), pixels])
  for (const size of [1, 7, stream.length]) {
    const frames: number[][] = []
    const reader = createY4mReader(({ pixels: { data, width, height }, sampleAspect }) =>
      frames.push([...data, width, height, sampleAspect]),
    )
    for (let at = 0; at < stream.length; at += size) reader.add(stream.subarray(at, at + size))
    reader.end()
    t.strictSame(frames, [
      [1, 2, 3, 10, 5, 6, 3, 2, 4 / 3],
      [1, 2, 3, 10, 5, 6, 3, 2, 4 / 3],
    ])
  }
  const cut = createY4mReader(() => {})
  cut.add(stream.subarray(0, -1))
  t.throws(() => cut.end(), { message: 'a frame is not whole' })
  for (const wrong of ['RIFF\n', 'YUV4MPEG2 W3 H2 C420\n', 'YUV4MPEG2 W0 H2 Cmono\n', 'x'.repeat(2000)])
    t.throws(() => createY4mReader(() => {}).add(Buffer.from(wrong)), { message: 'these are not grey frames' })
})

t.test('edits are determined by the seed, and a short clip has no excerpt', async (t) => {
  const clip = { width: 560, height: 316, durationMs: 12_000 }
  const others = [
    { file: 'a', durationMs: 2500 },
    { file: 'b', durationMs: 9000 },
  ]
  for (const { id, make } of EDITS) {
    const [one, same, ...rest] = ['1', '1', '2', '3', '4', '5', '6'].map((seed) => make(clip, randomOf(seed), others))
    t.ok(one, id)
    t.strictSame(one, same, id)
    const isFixed = ['mirror', 'reversed', 'speed-1.25', 'speed-1.5'].includes(id)
    t.equal(
      rest.every((other) => JSON.stringify(other) === JSON.stringify(one)),
      isFixed,
      id,
    )
    for (const { fromMs, toMs, atMs, speed } of one?.shows ?? []) {
      t.ok(fromMs >= 0 && toMs > fromMs, id)
      t.ok(Math.min(atMs, atMs + speed * (toMs - fromMs)) >= 0, id)
    }
    const inputs = (one?.drawn.length ?? 0) + (one?.files.length ?? 0)
    const used = new Set(Array.from(one?.graph.matchAll(/\[(\d):v\]/g) ?? [], ([, input]) => input))
    t.equal(used.size, 1 + inputs, `${id} uses each of its inputs`)
  }
  const short = { ...clip, durationMs: 4000 }
  const missing = EDITS.filter(({ make }) => make(short, randomOf('1'), others) === undefined).map(({ id }) => id)
  t.strictSame(missing, ['excerpt-3s', 'excerpt-5s', 'excerpt-10s', 'between'])
})

t.test('the video benchmark rejects wrong options', async (t) => {
  const folder = import.meta.dirname
  t.strictSame(
    optionsOf(['--clips', folder, '--edits', 'still,mirror']).edits.map(({ id }) => id),
    ['mirror', 'still'],
  )
  t.throws(() => optionsOf([]), /--clips must be given/)
  t.throws(() => optionsOf(['--clips', join(folder, 'none')]), /there is no folder/)
  t.throws(() => optionsOf(['--clips', folder, '--edits', 'upside-down']), /there is no upside-down/)
  t.throws(() => optionsOf(['--clips', folder, '--limit', '0']), /--limit must be/)
})
