import assert from 'node:assert/strict'
import fc from 'fast-check'
import sharp from 'sharp'
import t from 'tap'
import { shownMs } from '../../packages/hash/src/file-frames.js'
import { declaredDurations, isAnimated, orientationOfWebp } from '../../page/hashing/containers.js'
import { openAnimation } from '../../page/hashing/image-decoder.js'
import { MEDIA_FORMATS, type MediaFormat } from '../../src/domain/media/media-formats.js'
import { apngOf, avifSequenceOf, framePicture, gifOf, webpOf } from '../helpers/animations.js'
import { scene, scenePixels } from '../helpers/pictures.js'
import { runs } from '../helpers/runs.js'

const SIZE = { width: 64, height: 48 }

/** An animation of two scenes. */
function animation(format: 'gif' | 'webp'): Promise<Buffer> {
  const data = Buffer.concat([scenePixels(1, SIZE).data, scenePixels(2, SIZE).data])
  const raw = { width: SIZE.width, height: 2 * SIZE.height, channels: 3, pageHeight: SIZE.height } as const
  return sharp(data, { raw })
    .toFormat(format, { delay: [100, 200] })
    .toBuffer()
}

t.test('animations are told from still pictures', async (t) => {
  for (const format of ['gif', 'webp'] as const) {
    t.ok(isAnimated(await animation(format), format), format)
    t.notOk(isAnimated((await scene(1, { format, ...SIZE })).bytes, format), `a still ${format}`)
  }
  const { bytes } = await scene(1, { format: 'png', ...SIZE })
  t.notOk(isAnimated(bytes, 'png'))
  const control = Buffer.from('00000008 6163544c 00000002 00000000 00000000'.replaceAll(' ', ''), 'hex')
  t.ok(isAnimated(Buffer.concat([bytes.subarray(0, 33), control, bytes.subarray(33)]), 'png'))
  t.notOk(isAnimated(Buffer.concat([bytes, control]), 'png'), 'after the pixels it does not count')
  t.ok(isAnimated(Buffer.from('0000001c6674797061766973', 'hex'), 'avif'))
  t.notOk(isAnimated((await scene(1, { format: 'avif', ...SIZE })).bytes, 'avif'))
  t.notOk(isAnimated((await scene(1, SIZE)).bytes, 'jpeg'))
})

t.test('the orientation of a WebP is read from its EXIF', async (t) => {
  const { bytes } = await scene(1, { format: 'webp', ...SIZE })
  t.equal(orientationOfWebp(bytes), 1)
  for (const orientation of [1, 3, 6, 8]) {
    const turned = await sharp(bytes).withMetadata({ orientation }).webp().toBuffer()
    t.equal(orientationOfWebp(turned), orientation)
  }
})

t.test('truncated or changed files are read without an error', async () => {
  const turned = await sharp((await scene(1, { format: 'webp', ...SIZE })).bytes)
    .withMetadata({ orientation: 6 })
    .webp()
    .toBuffer()
  const files = [turned, await animation('gif'), await animation('webp'), (await scene(1, { format: 'png', ...SIZE })).bytes]
  const change = fc.record({ file: fc.constantFrom(...files), end: fc.nat(), at: fc.nat(), byte: fc.nat({ max: 255 }) })
  fc.assert(
    fc.property(change, ({ file, end, at, byte }) => {
      const bytes = new Uint8Array(file.subarray(0, end % file.length))
      if (bytes.length > 0) bytes[at % bytes.length] = byte
      for (const format of ['gif', 'webp', 'png', 'avif'] as const) isAnimated(bytes, format)
      orientationOfWebp(bytes)
    }),
    { numRuns: runs(60) },
  )
})

t.test('the duration of each frame is read without decoding it, as the service reads it', async (t) => {
  const delays = [500, 20, 0, 1000, 70]
  const frames = delays.map((delayMs, k) => ({ picture: framePicture(k, SIZE), delayMs }))
  for (const [format, make] of Object.entries({ gif: gifOf, png: apngOf, webp: webpOf, avif: avifSequenceOf } as const)) {
    const file = await make(SIZE, frames)
    const read = (bytes: Uint8Array) => [...declaredDurations(bytes, isFormat(format) ? format : 'jpeg')]
    t.same(read(file), delays.map(shownMs), format)
    fc.assert(
      fc.property(fc.nat({ max: file.length }), fc.nat({ max: file.length - 1 }), fc.nat({ max: 255 }), (end, at, byte) => {
        const damaged = Buffer.from(file.subarray(0, end))
        if (at < end) damaged[at] = byte
        let frames = 0
        for (const durationMs of declaredDurations(damaged, isFormat(format) ? format : 'jpeg')) {
          if (++frames > 1000) break // a table may declare any number
          assert.ok(durationMs >= 0)
        }
      }),
      { numRuns: runs(100) },
    )
  }
})

t.test('an animation with more frames than can be decoded is as long as its file says', async (t) => {
  const decoded: number[] = []
  class FakeDecoder {
    static isTypeSupported = async () => true
    readonly completed = Promise.resolve()
    readonly tracks = { ready: Promise.resolve(), selectedTrack: { frameCount: 60 } }
    async decode({ frameIndex }: { readonly frameIndex: number }) {
      decoded.push(frameIndex)
      return { image: { duration: 1e6, codedWidth: 5000, codedHeight: 5000, close() {} } }
    }
    close() {}
  }
  Object.assign(globalThis, { ImageDecoder: FakeDecoder })
  t.teardown(() => Reflect.deleteProperty(globalThis, 'ImageDecoder'))
  const picture = framePicture(1, SIZE)
  const frames = Array.from({ length: 60 }, (_, k) => ({ picture, delayMs: k < 20 ? 1000 : 2500 }))
  const file = new Blob([new Uint8Array(await apngOf(SIZE, frames))])
  const opened = await openAnimation({ file, format: 'png', type: 'image/png' }, 1)
  t.same(decoded, [...Array(20).keys()], 'half a gigapixel')
  t.equal(opened?.count, 8)
  const { length, shownMs } = opened?.animation ?? {}
  t.same(length, { lengthMs: 120_000, lookedMs: 120_000, missedMs: 110_000 })
  t.same(shownMs, Array<number>(8).fill(1000))
})

function isFormat(name: string): name is MediaFormat {
  return name in MEDIA_FORMATS
}
