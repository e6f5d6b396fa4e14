import fc from 'fast-check'
import sharp from 'sharp'
import t from 'tap'
import { isAnimated, orientationOfWebp } from '../../page/hashing/containers.js'
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
