import t from 'tap'
import { MAX_IMAGE_SIGNALS, MAX_WINDOWS } from '../../../packages/hash/src/file-frames.js'
import { distance } from '../../../packages/hash/src/hash256.js'
import { hashedSize } from '../../../packages/hash/src/reduced-side.js'
import type { Purpose } from '../../../packages/hash/src/views.js'
import { eachFrame } from '../../../workers/media/decode.js'
import { hashImage } from '../../../workers/media/hashes-of-file.js'
import { longPicture, SCENE } from '../../helpers/long-picture.js'
import { fromPixels, scenePixels } from '../../helpers/pictures.js'
import { watchDecoding } from '../../helpers/watch-decoding.js'

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9] as const

async function framesOf(bytes: Buffer, purpose: Purpose, maxFrames?: number) {
  return await eachFrame(
    bytes,
    { sizeFor: hashedSize, purpose, ...(maxFrames !== undefined && { maxFrames }) },
    (frame) => frame,
  )
}

async function hashOfScene(seed: number) {
  const { signals } = await hashImage(
    await fromPixels(scenePixels(seed, SCENE)).png({ compressionLevel: 1 }).toBuffer(),
    'register',
  )
  return signals.find(({ type, view }) => type === 'pdq-area' && view === 'whole')?.hashes[0]
}

for (const isTall of [true, false]) {
  t.test(`the photographs of a ${isTall ? 'tall' : 'wide'} picture are hashed, for registration and query`, async (t) => {
    const picture = fromPixels(await longPicture(SEEDS, isTall))
    const scenes = await Promise.all(SEEDS.map(hashOfScene))
    const bytes = await (isTall ? picture.jpeg({ quality: 80 }) : picture.webp({ lossless: true })).toBuffer()
    for (const purpose of ['register', 'query'] as const) {
      const { signals } = await hashImage(bytes, purpose)
      t.ok(signals.length <= MAX_IMAGE_SIGNALS)
      for (const [i, scene] of scenes.entries()) {
        const bits = Math.min(...signals.map(({ hashes: [hash] }) => (hash && scene ? distance(hash, scene) : 256)))
        t.ok(bits <= 31, `${purpose}: scene ${i} is ${bits} bits away`)
      }
    }
  })
}

t.test('windows follow the picture itself, within the limits, and all pixels are overwritten', async (t) => {
  const bytes = await fromPixels(await longPicture(SEEDS))
    .png({ compressionLevel: 1 })
    .toBuffer()
  const [whole, ...windows] = await framesOf(bytes, 'register')
  t.equal(whole?.isWindow, undefined)
  t.ok(windows.length > 10 && windows.length <= MAX_WINDOWS)
  t.ok(windows.every(({ isWindow, pixels }) => isWindow === true && pixels.width <= 330))
  for (const { pixels } of [whole, ...windows].flatMap((frame) => frame ?? [])) t.ok(pixels.data.every((byte) => byte === 0))
  t.equal((await framesOf(bytes, 'register', 1)).length, 1, 'details are of the picture itself')
  t.equal((await framesOf(bytes, 'register', 3)).length, 3)
})

t.test('an ordinary picture has no windows', async (t) => {
  const bytes = await fromPixels(scenePixels(1, { width: 700, height: 2000 }))
    .png({ compressionLevel: 1 })
    .toBuffer()
  t.equal((await framesOf(bytes, 'register')).length, 1)
})

t.test('the picture that windows are cut from is overwritten, even after a failure', async (t) => {
  const bytes = await fromPixels(await longPicture(SEEDS))
    .jpeg()
    .toBuffer()
  const decoded = watchDecoding(t)
  const failing = eachFrame(bytes, { sizeFor: hashedSize, purpose: 'register' }, ({ isWindow }) => {
    if (isWindow) throw new Error('no memory')
  })
  await t.rejects(failing, { message: 'no memory' })
  t.equal(decoded.length, 2, 'decoded twice: for the whole and for its windows')
  t.ok(decoded.every((data) => data.every((byte) => byte === 0)))
})
