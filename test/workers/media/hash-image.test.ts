import sharp from 'sharp'
import t from 'tap'
import { distance, formatHash } from '../../../packages/hash/src/hash256.js'
import { pdq } from '../../../packages/hash/src/pdq.js'
import { transforms } from '../../../packages/hash/src/transforms.js'
import { hashImage } from '../../../workers/media/hashes-of-file.js'
import { rotatedPixels } from '../../hash/synthetic.js'
import { onePixel, unreadable } from '../../helpers/hostile-pictures.js'
import { fromPixels, scene, scenePixels } from '../../helpers/pictures.js'
import { watchDecoding } from '../../helpers/watch-decoding.js'

t.test('exactly the decoded pixels are hashed', async (t) => {
  const picture = { ...scenePixels(1), channels: 3 } as const

  const { quality, signals } = await hashImage(await fromPixels(picture).png().toBuffer(), 'register')

  const oracle = pdq(picture)
  t.equal(quality, oracle.quality)
  const [whole] = signals
  t.match(whole, { type: 'pdq', view: 'whole', quality })
  t.same(whole?.hashes.map(formatHash), oracle.dihedrals.map(formatHash))
})

t.test('a mirrored or rotated picture is found, by PDQ and by blockhash', async (t) => {
  const size = { width: 352, height: 352 }
  const original = { ...scenePixels(2, size), channels: 3 } as const
  const hashesOf = async (file: Buffer) => {
    const { signals, blockhash } = await hashImage(file, 'query')
    return { pdq: signals[0]?.hashes ?? [], area: signals[1]?.hashes ?? [], blockhash }
  }
  const stored = await hashesOf(await fromPixels(original).png().toBuffer())

  for (const [k, orientation] of transforms.entries()) {
    const { data, width, height } = rotatedPixels(original, orientation)
    const found = await hashesOf(
      await fromPixels({ data: Buffer.from(data), width, height })
        .jpeg({ quality: 80 })
        .toBuffer(),
    )
    for (const kind of ['pdq', 'area', 'blockhash'] as const) {
      const [expected, actual] = [stored[kind][k], found[kind][0]]
      if (expected === undefined || actual === undefined) throw new Error('eight hashes')
      t.ok(distance(expected, actual) <= 31, `${kind}, ${orientation.name}: ${distance(expected, actual)} bits`)
    }
  }
})

t.test('a picture of one pixel has quality 0, not an error', async (t) => {
  const { quality, signals, blockhash } = await hashImage((await onePixel()).bytes, 'query')

  t.equal(quality, 0)
  t.equal(signals.length, 1)
  t.equal(signals[0]?.hashes.length, 8)
  t.equal(blockhash.length, 8)
})

t.test('a cut-out with a transparent ground is an object, as it is on white', async (t) => {
  const [width, height] = [240, 240]
  const { data } = scenePixels(3, { width, height })
  const rgba = Buffer.alloc(4 * width * height)
  for (let k = 0; k < width * height; k++) {
    const [x, y] = [(k % width) - width / 2, Math.floor(k / width) - height / 2]
    for (let channel = 0; channel < 3; channel++) rgba[4 * k + channel] = (data[3 * k + channel] ?? 0) / 2
    rgba[4 * k + 3] = Math.hypot(x, y) < 60 + 24 * Math.cos(5 * Math.atan2(y, x)) ? 255 : 0
  }
  const cutOut = await sharp(rgba, { raw: { width, height, channels: 4 } })
    .png()
    .toBuffer()
  const { signals, isObject } = await hashImage(cutOut, 'query')
  t.equal(signals.filter(({ type }) => type === 'pdq').length, 2, 'on white and on black')
  t.equal(isObject, true)
})

t.test('decoded pixels are overwritten, and the file is left to the caller', async (t) => {
  const { bytes } = await scene(1)
  const file = Buffer.from(bytes)
  const decoded = watchDecoding(t)

  await hashImage(bytes, 'register')

  t.equal(decoded.length, 1)
  t.ok(decoded[0]?.every((byte) => byte === 0))
  t.ok(bytes.equals(file))
})

t.test('a broken file gets a code, and the next one is hashed normally', async (t) => {
  const { bytes } = await scene(1)
  const before = await hashImage(bytes, 'register')

  for (const { name, bytes: broken } of await unreadable())
    await t.rejects(hashImage(broken, 'register'), { name: 'Problem' }, name)

  t.same(await hashImage(bytes, 'register'), before)
})
