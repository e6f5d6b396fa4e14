import t from 'tap'
import { type FilePicture, hashFrames, hashImage } from '../../packages/hash/src/hash-image.js'
import type { Pixels } from '../../packages/hash/src/pixels.js'
import { scenePixels } from '../helpers/pictures.js'

const SIZE = { width: 320, height: 240 }
const picture = (seed: number): Pixels => ({ ...scenePixels(seed, SIZE), channels: 3 })
const blank = (): Pixels => ({ data: new Uint8Array(3 * SIZE.width * SIZE.height).fill(255), ...SIZE, channels: 3 })

t.test('a single frame has the hashes of the picture', async (t) => {
  for (const purpose of ['register', 'query'] as const) {
    const { mainFrame, qualities, ...hashed } = await hashFrames([{ pixels: picture(1) }], { purpose })
    t.equal(mainFrame, 0)
    t.same(qualities, [hashed.signals[0]?.quality])
    t.same(hashed, await hashImage(picture(1), { purpose }))
  }
})

t.test('a blank first frame hides nothing, and further frames add only new signals', async (t) => {
  const frames = [blank(), picture(1), picture(1), picture(2)].map((pixels): FilePicture => ({ pixels }))
  const { signals, mainFrame, qualities } = await hashFrames(frames, { purpose: 'register' })
  t.equal(mainFrame, 1)
  t.same(
    qualities.map((quality) => quality > 0),
    [false, true, true, true],
  )
  const own = (await hashImage(picture(1), { purpose: 'register' })).signals
  const wholes = signals.filter(({ type, view }) => type === 'pdq' && view === 'whole').map(({ hash }) => hash)
  const [second] = (await hashImage(picture(2))).signals
  t.same(wholes, [own[0]?.hash, second?.hash], 'each picture once')
  t.same(signals.slice(0, own.length - 1), own.slice(0, -1), 'those of the main frame come first')
  t.same(signals.at(-1), own.at(-1), 'its blockhash comes last')
})

t.test('the next frame is requested after the previous one is hashed, so that one buffer suffices', async (t) => {
  const shared = picture(1)
  const given: number[] = []
  async function* frames(): AsyncGenerator<FilePicture> {
    for (const seed of [1, 2]) {
      shared.data.set(picture(seed).data)
      given.push(seed)
      yield { pixels: shared }
      shared.data.fill(0)
    }
  }
  const [fromOne, fromTwo] = [
    await hashFrames(frames()),
    await hashFrames([1, 2].map((seed) => ({ pixels: picture(seed) }))),
  ]
  t.same(given, [1, 2])
  t.same(fromOne, fromTwo)
})

t.test('a file without frames throws a RangeError', async (t) => {
  await t.rejects(hashFrames([]), RangeError)
})
