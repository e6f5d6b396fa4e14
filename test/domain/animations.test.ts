import fc from 'fast-check'
import t from 'tap'
import {
  allowedMs,
  type FrameHeader,
  MAX_LISTED_FRAMES,
  planOf,
  startsOf,
} from '../../src/domain/media/animations/animation.js'
import { pngAnimation } from '../../src/domain/media/animations/apng.js'
import { avifAnimation, chosenSamples } from '../../src/domain/media/animations/avif.js'
import { gifAnimation } from '../../src/domain/media/animations/gif.js'
import { webpAnimation } from '../../src/domain/media/animations/webp.js'
import { isTooCostly, pictureCost } from '../../src/domain/media/picture-cost.js'
import { apngOf, avifSequenceOf, flatPicture, framePicture, gifOf, webpOf } from '../helpers/animations.js'
import { runs } from '../helpers/runs.js'

const SIZE = { width: 64, height: 48 }
const CHEAP = { msPerFrame: 0.1, nsPerPixel: 10 }
const MEGABYTE = 1_000_000

const frame = (changes: Partial<FrameHeader> = {}): FrameHeader => ({
  left: 0,
  top: 0,
  ...SIZE,
  durationMs: 100,
  isSource: false,
  isOpaque: true,
  disposal: 'keep',
  isWhole: true,
  data: [],
  ...changes,
})
const part = (changes: Partial<FrameHeader> = {}) => frame({ width: 10, height: 10, ...changes })

async function animations() {
  const frames = [0, 10, 11, 500].map((delayMs, k) => ({ picture: framePicture(k, SIZE), delayMs }))
  return {
    gif: await gifOf(SIZE, frames),
    png: await apngOf(SIZE, frames),
    webp: await webpOf(SIZE, frames),
    avif: await avifSequenceOf(SIZE, frames),
  }
}

const readers = { gif: gifAnimation, png: pngAnimation, webp: webpAnimation, avif: avifAnimation } as const

t.test('frames are read from the headers of each format, with the durations that browsers use', async (t) => {
  const files = await animations()
  for (const format of ['gif', 'png', 'webp', 'avif'] as const) {
    const found = readers[format](files[format])
    const eleven = format === 'gif' ? 100 : 11 // GIF counts in hundredths of a second
    t.same(
      found?.frames.map(({ durationMs }) => durationMs),
      [100, 100, eleven, 500],
      format,
    )
    t.match(found, SIZE, format)
    t.ok(
      found?.frames.every(({ isWhole, width }) => isWhole && width === SIZE.width),
      format,
    )
  }
})

t.test('a frame is drawn with exactly the frames that it depends on', async (t) => {
  const starts = (...frames: readonly FrameHeader[]) => startsOf({ ...SIZE, frames })
  t.same(starts(frame(), part(), part()), [0, 0, 0])
  t.same(starts(frame(), frame(), part()), [0, 1, 1], 'an opaque frame hides all before')
  t.same(starts(frame(), frame({ isOpaque: false }), part()), [0, 0, 0], 'a transparent frame does not')
  t.same(starts(frame(), frame({ isOpaque: false, isSource: true }), part()), [0, 1, 1], 'unless it replaces')
  t.same(starts(frame(), frame({ disposal: 'clear', isOpaque: false }), part()), [0, 0, 2])
  t.same(starts(frame(), part({ disposal: 'clear' }), part()), [0, 0, 0])
  t.same(starts(frame(), frame({ disposal: 'restore' }), part()), [0, 1, 0])
})

t.test('a plan draws its chosen frames with all that they need, within its time', async (t) => {
  const kinds = fc.record({
    isOpaque: fc.boolean(),
    isSource: fc.boolean(),
    width: fc.constantFrom(5, SIZE.width),
    height: fc.constant(SIZE.height),
    durationMs: fc.constantFrom(20, 100, 3000),
    disposal: fc.constantFrom('keep' as const, 'clear' as const, 'restore' as const),
  })
  fc.assert(
    fc.property(fc.array(kinds, { minLength: 1, maxLength: 60 }), fc.constantFrom(0.1, 20, 200), (changes, msPerFrame) => {
      const frames = changes.map(frame)
      const { chosen, drawn, looks, timeMs } = planOf({ ...SIZE, frames }, { msPerFrame, nsPerPixel: 1 }, MEGABYTE, 8)
      const starts = startsOf({ ...SIZE, frames })
      const all = [...drawn, ...looks.further]
      if (new Set(all).size < all.length) return false
      const has = (index: number, some: readonly number[]) => {
        for (let at = starts[index] ?? 0; at <= index; at++) if (!some.includes(at)) return false
        return true
      }
      if (!chosen.every((index) => has(index, drawn))) return false
      if (!looks.looked.every(({ index, between = index }) => has(index, all) && has(between, all))) return false
      const isBounded = timeMs <= allowedMs(MEGABYTE) || chosen.length === 1
      return chosen.length >= 1 && isBounded && drawn.every((index, k) => k === 0 || index > (drawn[k - 1] ?? 0))
    }),
  )
  t.pass()
})

t.test('the longest frame is reached past thousands of frames that it does not depend on', async (t) => {
  const frames = Array.from({ length: 5000 }, () => part({ durationMs: 20 }))
  frames.push(frame({ durationMs: 3000 }))
  const slow = { msPerFrame: 5, nsPerPixel: 10 }
  const { chosen, timeMs } = planOf({ ...SIZE, frames }, slow, MEGABYTE, 8)
  t.equal(chosen[0], 5000)
  t.ok(timeMs <= allowedMs(MEGABYTE))

  frames[5000] = part({ durationMs: 3000 })
  t.notOk(planOf({ ...SIZE, frames }, slow, MEGABYTE, 8).chosen.includes(5000), 'drawing 5,000 frames would take 25 s')
  t.ok(planOf({ ...SIZE, frames }, CHEAP, MEGABYTE, 8).chosen.includes(5000), 'at low cost it is reached')
})

t.test('an animation of a hundred thousand frames without duration is read in part and accepted', async (t) => {
  const first = await gifOf(SIZE, [{ picture: framePicture(1, SIZE), delayMs: 0 }])
  const dots = Array<Buffer>(100_000).fill(Buffer.from('21f90400000000002c0000000001000100000202440100', 'hex'))
  const bytes = Buffer.concat([first.subarray(0, -1), ...dots])
  t.equal(gifAnimation(bytes)?.frames.length, MAX_LISTED_FRAMES)
  const cost = pictureCost(bytes)
  t.ok(cost.timeMs > 100 && cost.timeMs <= 50 + allowedMs(bytes.length), `${cost.timeMs} ms`)
  t.notOk(isTooCostly(cost, bytes.length))
})

t.test('a small file with large frames costs no more than its size allows, and a large canvas is refused', async (t) => {
  const size = { width: 1500, height: 1000 }
  const webp = repeated(await webpOf(size, [{ picture: flatPicture(size, [9, 9, 9, 255]), delayMs: 50 }]), 150)
  t.ok(webp.length < 20_000)
  t.notOk(isTooCostly(pictureCost(webp), webp.length), 'some of its frames are drawn')
  t.ok(pictureCost(webp).timeMs <= 50 + allowedMs(webp.length))

  const huge = Buffer.from((await animations()).gif)
  huge.writeUInt32LE(0x1b58_1b58, 6)
  t.ok(isTooCostly(pictureCost(huge), huge.length), 'a canvas of 49 megapixels takes too much memory')
})

/** Repeats the last frame of a WebP `times` times. */
function repeated(webp: Buffer, times: number): Buffer {
  const frame = webp.subarray(webp.indexOf('ANMF'))
  const file = Buffer.concat([webp.subarray(0, webp.indexOf('ANMF')), ...Array<Buffer>(times).fill(frame)])
  file.writeUInt32LE(file.length - 8, 4)
  return file
}

t.test('frames of a sequence cost time for their coded data, besides their pixels', async (t) => {
  const found = avifAnimation((await animations()).avif)
  if (found === undefined) throw new Error('a sequence')
  const coded = (bytes: number) => {
    const frames = found.frames.map((frame, start): typeof frame => ({ ...frame, start, data: [[0, bytes]] }))
    return chosenSamples({ ...found, frames }, 20 * MEGABYTE, 8)
  }
  t.equal(coded(1000).chosen.length, 4)
  t.equal(coded(5 * MEGABYTE).chosen.length, 1, 'each of noise takes 750 ms')
  t.ok(coded(5 * MEGABYTE).timeMs <= allowedMs(20 * MEGABYTE))
})

t.test('overlapping samples of a sequence are not counted repeatedly', async (t) => {
  const file = (await animations()).avif
  const table = file.indexOf('stsz') + 12
  for (let sample = 0; sample < 4; sample++) file.writeUInt32BE(file.length - 400, table + 4 + 4 * sample)
  const found = avifAnimation(file)
  t.ok(found !== undefined && chosenSamples(found, file.length, 8).chosen.length <= 1)
  file.writeUInt32BE(0xffff_ffff, file.indexOf('stsc') + 16)
  t.ok((avifAnimation(file)?.frames.length ?? 0) <= 4)
})

t.test('any header is read without an error, or ends the file early', async (t) => {
  const files = Object.values(await animations())
  const bent = fc
    .tuple(fc.constantFrom(...files), fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 8 }), fc.nat())
    .map(([file, at, bytes, length]) => {
      const copy = Buffer.from(file)
      copy.set(bytes, at % (copy.length - 8))
      return copy.subarray(0, length % 3 === 0 ? length % copy.length : copy.length)
    })
  fc.assert(
    fc.property(bent, (file) => {
      for (const read of Object.values(readers)) {
        try {
          read(file)
        } catch (error) {
          if (!(error instanceof RangeError)) throw error
        }
      }
      const { timeMs, memoryMb } = pictureCost(file)
      return timeMs >= 50 && memoryMb >= 0 && Number.isFinite(timeMs)
    }),
    { numRuns: runs(60) },
  )
  t.pass()
})

t.test('what is left of the time is used to look at frames as in a video, within the same limits', (t) => {
  const plan = (count: number, changes: Partial<FrameHeader> = {}, size = SIZE, bytes = MEGABYTE) =>
    planOf({ ...size, frames: Array.from({ length: count }, () => frame({ ...size, ...changes })) }, CHEAP, bytes, 8)
  t.equal(plan(120).looks.looked.length, 48, '12 s, four frames a second')
  t.ok(plan(120, { durationMs: 3000 }).looks.looked.length > 30, 'six minutes')
  const hostile = [
    plan(20_000, { durationMs: 11 }),
    plan(20_000, { durationMs: 655_350 }),
    plan(10_000, { width: 1, height: 1 }),
    plan(300, {}, { width: 7680, height: 4320 }),
    plan(300, { isOpaque: false, disposal: 'restore' }, { width: 1920, height: 1080 }),
  ]
  for (const { looks, timeMs, chosen } of hostile) {
    t.ok(timeMs <= allowedMs(MEGABYTE) || chosen.length === 1, `${timeMs} ms`)
    t.ok(looks.looked.length <= 120)
  }
  t.same(plan(300, {}, { width: 7680, height: 4320 }).looks.looked, [], '8K')
  t.same(planOf({ ...SIZE, frames: [frame(), frame()] }, CHEAP, MEGABYTE, 1).looks.looked, [], 'when one frame is wanted')
  t.end()
})
