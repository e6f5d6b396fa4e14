// Odd and hostile files of every format give a picture of their size, or one code.

import t from 'tap'
import { Problem } from '../../../src/domain/problem.js'
import { decode } from '../../../workers/media/decode.js'
import { apngOf, avifSequenceOf, flatPicture, gifOf, webpOf } from '../../helpers/animations.js'
import { heic, withDeclaredSize } from '../../helpers/heic.js'
import { formats, type Size, scene } from '../../helpers/pictures.js'

const ANIMATED = { gif: gifOf, png: apngOf, webp: webpOf, avif: avifSequenceOf }
const GREY = [90, 90, 90, 255] as const

async function outcome(file: Buffer): Promise<string> {
  try {
    const { width, height } = await decode(file)
    return `${width} × ${height}`
  } catch (error) {
    return error instanceof Problem ? error.code : String(error)
  }
}

function animation(format: keyof typeof ANIMATED, size: Size): Promise<Buffer> {
  const frame = { picture: flatPicture(size, GREY), delayMs: 100 }
  return ANIMATED[format](size, [frame, { ...frame, delayMs: 50 }])
}

t.test('a picture with sides of one pixel is decoded', async (t) => {
  for (const size of [
    { width: 1, height: 1 },
    { width: 1, height: 40 },
  ]) {
    const expected = `${size.width} × ${size.height}`
    for (const format of formats) t.equal(await outcome((await scene(1, { ...size, format })).bytes), expected, format)
    for (const format of ['gif', 'png', 'webp', 'avif'] as const)
      t.equal(await outcome(await animation(format, size)), expected, `${format}, animated`)
    const code = /^(\d+ × \d+|image-undecodable|image-too-many-pixels)$/
    t.match(await outcome(withDeclaredSize(heic('two'), size)), code, 'HEIC that declares it')
  }
})

t.test('of two formats in one file the first bytes decide, whatever its name', async (t) => {
  const small = await Promise.all(formats.map((format) => scene(2, { width: 160, height: 120, format })))
  const files = [...small, { name: 'heic', bytes: heic('two') }]
  for (const [k, { name, bytes }] of files.entries()) {
    const other = files[(k + 1) % files.length]?.bytes ?? bytes
    const both = await decode(Buffer.concat([bytes, other]))
    t.ok(both.data.equals((await decode(bytes)).data), name)
  }
})

t.test('a truncated file of each format gives a picture or one code', async (t) => {
  const size = { width: 64, height: 48 }
  const stills = await Promise.all(formats.map(async (format) => (await scene(3, { ...size, format })).bytes))
  const animated = await Promise.all((['gif', 'png', 'webp', 'avif'] as const).map((format) => animation(format, size)))
  for (const [k, bytes] of [...stills, ...animated].entries()) {
    for (let length = 12; length < bytes.length; length += Math.ceil(bytes.length / 9))
      t.match(await outcome(bytes.subarray(0, length)), /^(64 × 48|image-undecodable)$/, `${k}, ${length}`)
  }
})
