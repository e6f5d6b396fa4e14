import sharp from 'sharp'
import t from 'tap'
import { imageEnd } from '../../src/domain/media/image-end.js'
import { hasClip } from '../../src/domain/media/motion-clip.js'
import { scenePixels } from '../helpers/pictures.js'

const { data } = scenePixels(3, { width: 64, height: 48 })
const jpeg = await sharp(data, { raw: { width: 64, height: 48, channels: 3 } })
  .jpeg()
  .toBuffer()
const clip = Buffer.from('0000001c667479706d703432000000006d70343269736f6d000000086d646174', 'hex')

t.test('the clip of a motion photo is found behind the picture, wherever cameras put it', async (t) => {
  t.equal(imageEnd([jpeg]), jpeg.length)
  for (const [what, parts] of [
    ['Google', [jpeg, clip]],
    ['with a map of brightness', [jpeg, jpeg, clip]],
    ['Samsung', [jpeg, Buffer.from('0000300a10000000MotionPhoto_Data'), clip, Buffer.from('SEFHx\0\0\0SEFT')]],
    ['QuickTime', [jpeg, Buffer.from('00000014667479707174202000000000', 'hex')]],
  ] as const)
    t.ok(hasClip(Buffer.concat(parts), 'jpeg'), what)
  const heic = Buffer.concat([Buffer.from('0000001866747970686569630000000068656963', 'hex'), Buffer.alloc(300), clip])
  t.ok(hasClip(heic, 'heif'))
})

t.test('a picture without a clip has none, whatever is in its metadata or behind it', async (t) => {
  const word = Buffer.concat([Buffer.from('ffd8ffe10024', 'hex'), clip, Buffer.alloc(2), jpeg.subarray(2)])
  for (const [what, parts] of [
    ['nothing', [jpeg]],
    ['the words alone', [jpeg, Buffer.from('MotionPhoto_Data ftyp ftypmp42')]],
    ['a box that is too long', [jpeg, Buffer.from('7fffffff667479706d703432', 'hex')]],
    ['a box that is cut off', [jpeg, clip.subarray(0, 9)]],
    ['another picture', [jpeg, Buffer.from('0000001866747970686569630000000068656963', 'hex')]],
    ['sound', [jpeg, Buffer.from('00000020667479704d344120000000004d344120', 'hex')]],
    ['metadata', [word]],
  ] as const)
    t.notOk(hasClip(Buffer.concat(parts), 'jpeg'), what)
  t.notOk(hasClip(clip, 'png'))
  t.notOk(hasClip(jpeg.subarray(0, 200), 'jpeg'), 'damaged')
})
