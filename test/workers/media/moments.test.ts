import sharp from 'sharp'
import t from 'tap'
import { loadImageHasherSync } from '../../../packages/hash/src/image-hasher.js'
import { hashedSize } from '../../../packages/hash/src/reduced-side.js'
import { createVideoHasher, type VideoSignals } from '../../../packages/hash/src/video-frames.js'
import { formatOf } from '../../../src/domain/media/media-formats.js'
import { stillsOf } from '../../../workers/media/animations/stills.js'
import { decode, eachFrame } from '../../../workers/media/decode.js'
import { hashImage } from '../../../workers/media/hashes-of-file.js'
import {
  apngOf,
  avifSequenceOf,
  type DrawnFrame,
  type FramePicture,
  flatPicture,
  framePicture,
  gifOf,
  webpOf,
} from '../../helpers/animations.js'
import { animatedJxl, jxlOf } from '../../helpers/jxl-files.js'
import { fromPixels, type Size, scenePixels } from '../../helpers/pictures.js'

const SIZE: Size = { width: 160, height: 120 }
const hasher = loadImageHasherSync()
const makers = { gif: gifOf, png: apngOf, webp: webpOf, avif: avifSequenceOf } as const

async function scenePicture(seed: number): Promise<FramePicture> {
  const data = await fromPixels(scenePixels(seed, SIZE)).ensureAlpha().raw().toBuffer()
  return { data, ...SIZE }
}

async function framesOf(durationsMs: readonly number[]): Promise<DrawnFrame[]> {
  return Promise.all(durationsMs.map(async (delayMs, k) => ({ picture: await scenePicture(1 + k), delayMs })))
}

/** Hashes what is shown every 250 ms as a video. */
async function asVideo(file: Buffer, durationsMs: readonly number[]): Promise<VideoSignals> {
  const video = createVideoHasher(hasher, 'register')
  const totalMs = durationsMs.reduce((sum, ms) => sum + ms, 0)
  const shownAt = async (atMs: number) => {
    let endMs = 0
    const page = durationsMs.findIndex((ms) => {
      endMs += ms
      return atMs < endMs
    })
    return decode(await sharp(file, { page }).removeAlpha().png().toBuffer())
  }
  for (let atMs = 0; atMs < totalMs; atMs += 250) {
    const pixels = await shownAt(atMs)
    video.add(atMs, pixels, pixels.aspect)
    if (video.betweenMs !== undefined) video.addBetween(await shownAt(video.betweenMs), pixels.aspect)
  }
  return video.result(totalMs)
}

t.test('an animation is registered by the frames by which a video of the same frames is', async (t) => {
  const durationsMs = [100, 30, 120, 40, 90, 500, 200, 100, 100, 2600, 60, 60, 60, 60, 700]
  const frames = await framesOf(durationsMs)
  for (const format of ['gif', 'webp'] as const) {
    const file = await makers[format](SIZE, frames)
    const { animation } = await hashImage(file, 'register')
    const expected = await asVideo(file, durationsMs)
    t.ok(expected.frames.length > 8, `${expected.frames.length} frames`)
    t.ok(
      expected.frames.some(({ atMs }) => atMs % 250 === 125),
      'one of them halfway',
    )
    t.same(animation, expected, format)
  }
})

t.test('the frames of each format have moments, and a query has none', async (t) => {
  const frames = await framesOf([500, 250, 1000, 500])
  for (const [format, make] of Object.entries(makers)) {
    const file = await make(SIZE, frames)
    const { animation } = await hashImage(file, 'register')
    t.same(
      animation?.frames.map(({ atMs }) => atMs),
      [0, 500, 750, 1750, 2000],
      format,
    )
    t.match(animation, { durationMs: 2250, protectedShare: 1 }, format)
    t.equal((await hashImage(file, 'query')).animation, undefined, format)
  }
})

t.test('an animation that shows one picture stays a picture', async (t) => {
  const picture = await scenePicture(1)
  for (const [format, make] of Object.entries(makers)) {
    const file = await make(SIZE, [
      { picture, delayMs: 500 },
      { picture, delayMs: 500 },
    ])
    t.equal((await hashImage(file, 'register')).animation, undefined, format)
  }
})

t.test('an animation that is registered in part says so', async (t) => {
  const large: Size = { width: 2800, height: 1100 }
  const pictures = await Promise.all(
    [1, 2].map(async (seed) => {
      const few = fromPixels(scenePixels(seed, { width: 28, height: 22 }))
      return {
        data: await few
          .resize({ ...large, fit: 'fill', kernel: 'nearest' })
          .ensureAlpha()
          .raw()
          .toBuffer(),
        ...large,
      }
    }),
  )
  const white = flatPicture(large, [255, 255, 255, 255])
  const frames = [...pictures, white, white].map((picture) => ({ picture, delayMs: 1000 }))
  const partly = await hashImage(await webpOf(large, frames), 'register')
  t.same(partly.animation, { durationMs: 4000, frames: [], protectedShare: 1 / 2 }, 'there is time for two pictures')

  const stills = await Promise.all(Array.from({ length: 10 }, (_, k) => jxlOf(scenePixels(1 + k, SIZE))))
  const { animation } = await hashImage(animatedJxl(stills, Array<number>(10).fill(5)), 'register')
  t.match(animation, { frames: [], protectedShare: 8 / 10 })
  const two = await hashImage(animatedJxl(stills.slice(0, 2), [5, 5]), 'register')
  t.equal(two.animation, undefined, 'all of it is found')

  const blank = { picture: flatPicture(SIZE, [90, 90, 90, 255]), delayMs: 3000 }
  const shortly = await gifOf(SIZE, [...(await framesOf([1000])), blank])
  t.match((await hashImage(shortly, 'register')).animation, { frames: [], protectedShare: 1 / 4 }, 'most of it is plain')
})

t.test('looking at moments changes nothing of the pictures that represent an animation', async (t) => {
  const frames = await framesOf(Array<number>(30).fill(90))
  const limits = { sizeFor: hashedSize, purpose: 'register' } as const
  const moments = { begin() {}, wantsHalfway: () => true }
  for (const [name, make] of Object.entries(makers)) {
    const file = await make(SIZE, frames)
    const format = formatOf(file) ?? 'jpeg'
    const plain: Buffer[] = []
    for await (const { bytes } of stillsOf(file, format, limits)) plain.push(Buffer.from(bytes))
    const withMoments: Buffer[] = []
    let count = 0
    for await (const { bytes, moment } of stillsOf(file, format, { ...limits, moments }))
      if (moment === undefined) withMoments.push(Buffer.from(bytes))
      else count++
    t.ok(count >= 2, `${name}: ${count} moments`)
    t.same(withMoments, plain, name)
  }
})

t.test('pixels and files of moments are overwritten, even after a failure', async (t) => {
  const frames = [1, 2, 3].map((seed) => ({ picture: framePicture(seed, SIZE), delayMs: 500 }))
  const limits = { sizeFor: hashedSize, purpose: 'register', moments: { begin() {}, wantsHalfway: () => true } } as const
  for (const [format, make] of Object.entries(makers)) {
    const file = await make(SIZE, frames)
    const kept: Uint8Array[] = []
    for await (const { bytes } of stillsOf(file, formatOf(file) ?? 'jpeg', limits)) kept.push(bytes)
    const failing = eachFrame(file, limits, ({ pixels }) => {
      kept.push(pixels.data)
      if (kept.length > 8) throw new Error('of the caller')
    })
    await failing.catch(() => {})
    t.ok(kept.length > 7 && kept.every((bytes) => bytes.every((byte) => byte === 0)), format)
  }
})
