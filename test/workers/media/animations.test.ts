import sharp from 'sharp'
import t from 'tap'
import { distance } from '../../../packages/hash/src/hash256.js'
import { hashedSize } from '../../../packages/hash/src/reduced-side.js'
import type { Purpose } from '../../../packages/hash/src/views.js'
import { formatOf } from '../../../src/domain/media/media-formats.js'
import { Problem } from '../../../src/domain/problem.js'
import { createCanvas } from '../../../workers/media/animations/canvas.js'
import { drawableOf } from '../../../workers/media/animations/drawable.js'
import { stillsOf } from '../../../workers/media/animations/stills.js'
import { eachFrame } from '../../../workers/media/decode.js'
import { hashImage } from '../../../workers/media/hashes-of-file.js'
import {
  apngOf,
  avifSequenceOf,
  type DrawnFrame,
  type FramePicture,
  flatPicture,
  framePicture,
  gifOf,
  pngChunk,
  webpOf,
} from '../../helpers/animations.js'
import { fromPixels, type Size, scene, scenePixels } from '../../helpers/pictures.js'

const SIZE: Size = { width: 160, height: 120 }
const WHITE = [255, 255, 255, 255] as const
const makers = { gif: gifOf, png: apngOf, webp: webpOf, avif: avifSequenceOf } as const
const drawn = { gif: gifOf, png: apngOf, webp: webpOf } as const

async function scenePicture(seed: number, size: Size = SIZE): Promise<FramePicture> {
  const data = await fromPixels(scenePixels(seed, size)).ensureAlpha().raw().toBuffer()
  return { data, ...size }
}

/** The distance of a seed's picture from the nearest hash of a whole frame of the file. */
async function bitsTo(seed: number, file: Buffer, purpose: Purpose = 'register'): Promise<number> {
  const alone = await hashImage((await scene(seed, { ...SIZE, format: 'png' })).bytes, 'register')
  const { signals } = await hashImage(file, purpose)
  const of = (signal: (typeof signals)[number] | undefined) => signal?.hashes[0]
  const wanted = of(alone.signals[0])
  const found = signals.filter(({ type, view }) => type === 'pdq' && view === 'whole').flatMap((signal) => of(signal) ?? [])
  return Math.min(...found.map((hash) => (wanted === undefined ? 256 : distance(hash, wanted))))
}

for (const [format, make] of Object.entries(makers)) {
  t.test(`${format}: a blank frame before or after the picture hides nothing`, async (t) => {
    const picture = await scenePicture(1)
    const blank = flatPicture(SIZE, WHITE)
    const first = await make(SIZE, [
      { picture: blank, delayMs: 20 },
      { picture, delayMs: 3000 },
    ])
    const longest = await make(SIZE, [
      { picture: blank, delayMs: 5000 },
      { picture, delayMs: 1000 },
    ])
    for (const purpose of ['register', 'query'] as const) {
      t.ok((await bitsTo(1, first, purpose)) <= 16, `${purpose}, first`)
      t.ok((await bitsTo(1, longest, purpose)) <= 16, `${purpose}, longest`)
    }
  })

  t.test(`${format}: several pictures in one file are all found`, async (t) => {
    const seeds = [1, 2, 3]
    const frames = await Promise.all(seeds.map(async (seed) => ({ picture: await scenePicture(seed), delayMs: 500 })))
    const file = await make(SIZE, frames)
    for (const seed of seeds) t.ok((await bitsTo(seed, file)) <= 16, `picture ${seed}`)
  })
}

for (const [format, make] of Object.entries(drawn)) {
  t.test(`${format}: forty equal decoys do not displace a picture`, async (t) => {
    const decoy = { picture: flatPicture(SIZE, WHITE), delayMs: 2000 }
    const frames = Array<DrawnFrame>(40).fill(decoy)
    frames.splice(13, 1, { picture: await scenePicture(1), delayMs: 100 })
    t.ok((await bitsTo(1, await make(SIZE, frames))) <= 16)
  })

  t.test(`${format}: a picture drawn in parts is hashed as composed`, async (t) => {
    const picture = await scenePicture(1)
    const half = { width: SIZE.width, height: SIZE.height / 2 }
    const bytes = picture.data.length / 2
    const file = await make(SIZE, [
      { picture: { ...half, data: picture.data.subarray(0, bytes) }, delayMs: 20 },
      { picture: { ...half, data: picture.data.subarray(bytes) }, top: half.height, delayMs: 3000 },
    ])
    t.ok((await bitsTo(1, file)) <= 16)
  })

  t.test(`${format}: a truncated file is hashed as far as it goes, or refused with a code`, async (t) => {
    const frames = await Promise.all([1, 2].map(async (seed) => ({ picture: await scenePicture(seed), delayMs: 500 })))
    const file = await make(SIZE, frames)
    const answers = new Set<string>()
    for (let share = 0; share < 1; share += 0.07) {
      for (const purpose of ['register', 'query'] as const) {
        const cut = file.subarray(0, Math.floor(share * file.length))
        const answer = await hashImage(cut, purpose).then(
          () => 'hashed',
          (error) => (error instanceof Problem ? error.code : String(error)),
        )
        answers.add(answer)
        if (share > 0.75) t.equal(answer, 'hashed', `${purpose}: the first frame is whole at ${share}`)
      }
    }
    t.same([...answers].sort(), ['hashed', 'image-undecodable', 'media-unsupported'])
  })
}

t.test('frames of GIF and WebP are drawn as libvips draws them', async (t) => {
  const small = { width: 45, height: 30 }
  const hole = (x: number, y: number) => ((x >> 2) + (y >> 2)) % 3 && 255
  const frames = (['keep', 'clear', 'restore', 'keep', 'clear', 'restore'] as const).map((disposal, k) => ({
    picture: framePicture(k, k === 3 ? SIZE : small, hole),
    left: k === 3 ? 0 : 10 * k,
    top: k === 3 ? 0 : 6 * k,
    delayMs: 100,
    disposal,
  }))
  for (const [name, file] of [
    ['gif', await gifOf(SIZE, frames)],
    [
      'webp',
      await webpOf(
        SIZE,
        frames.map((frame) => ({ ...frame, disposal: frame.disposal === 'restore' ? 'keep' : frame.disposal })),
      ),
    ],
  ] as const) {
    const found = drawableOf(file, name, false)
    const canvas = createCanvas(SIZE.width, SIZE.height)
    for (const [page, frame] of (found?.animation.frames ?? []).entries()) {
      canvas.draw(frame, (await found?.pixelsOf(page)) ?? canvas)
      const expected = await sharp(file, { page }).ensureAlpha().raw().toBuffer()
      t.ok(shown(canvas.data).equals(shown(expected)), `${name}, frame ${page}`)
    }
    t.equal(found?.animation.frames.length, frames.length)
  }
})

/** The colours of fully transparent pixels are not displayed. */
function shown(rgba: Uint8Array): Buffer {
  const copy = Buffer.from(rgba)
  for (let at = 0; at < copy.length; at += 4) if (copy[at + 3] === 0) copy.fill(0, at, at + 4)
  return copy
}

t.test('an APNG is hashed by its frames, not by a default image that is no frame', async (t) => {
  const [shownOne, hidden] = [await scenePicture(1), await scenePicture(2)]
  const frames = [{ picture: shownOne, delayMs: 1000 }]
  const file = await apngOf(SIZE, frames, { hidden })
  t.ok((await bitsTo(1, file)) <= 8)
  t.ok((await bitsTo(2, file)) > 60, 'it is never shown')

  const count = file.indexOf('acTL') + 4
  const wrong = Buffer.from(file)
  wrong.writeUInt32BE(7, count)
  wrong.set(pngChunk('acTL', wrong.subarray(count, count + 8)).subarray(-4), count + 8)
  t.ok((await bitsTo(1, wrong)) <= 8)
  t.ok((await bitsTo(2, wrong)) <= 8, 'an invalid file: viewers show one or the other')
})

t.test('an AVIF with another main brand is opened as in browsers', async (t) => {
  const avif = Buffer.from((await scene(1, { ...SIZE, format: 'avif' })).bytes)
  for (const brand of ['avis', 'MA1B']) {
    avif.write(brand, 8, 'latin1')
    t.ok((await bitsTo(1, avif)) <= 8, brand)
  }
})

t.test('pixels and files made from frames are overwritten, even after a failure', async (t) => {
  const frames = [1, 2].map((seed) => ({ picture: framePicture(seed, SIZE), delayMs: 500 }))
  for (const [format, make] of Object.entries(makers)) {
    const file = await make(SIZE, frames)
    const before = Buffer.from(file)
    const kept: Uint8Array[] = []
    for await (const { bytes } of stillsOf(file, formatOf(file) ?? 'jpeg', { sizeFor: hashedSize, purpose: 'register' })) {
      kept.push(bytes)
    }
    t.equal(kept.length, 2, format)
    t.ok(
      kept.every((bytes) => bytes.every((byte) => byte === 0)),
      format,
    )
    t.ok(file.equals(before), 'the file is the caller’s')
    const failing = eachFrame(file, { sizeFor: hashedSize, purpose: 'register' }, ({ pixels }) => {
      kept.push(pixels.data)
      throw new Error('of the caller')
    })
    await t.rejects(failing, { message: 'of the caller' })
    t.ok(
      kept.at(-1)?.every((byte) => byte === 0),
      format,
    )
  }
})

t.test('a damaged frame is skipped, with the frames drawn on it', async (t) => {
  const frames = await Promise.all([1, 2].map(async (seed) => ({ picture: await scenePicture(seed), delayMs: 500 })))
  const file = await apngOf(SIZE, frames)
  const at = file.indexOf('fdAT') + 900
  file.fill(0x55, at, at + 100)
  t.ok((await bitsTo(1, file)) <= 8)
  t.ok((await bitsTo(2, file)) > 60)
})

t.test('decoys after a frame that no browser gets past do not hide earlier frames', async (t) => {
  const decoys = await Promise.all(
    Array.from({ length: 9 }, async (_, k) => ({ picture: await scenePicture(20 + k), delayMs: 5000 })),
  )
  const before = [
    { picture: flatPicture(SIZE, WHITE), delayMs: 20 },
    { picture: await scenePicture(1), delayMs: 1000 },
  ]
  const gif = await gifOf(SIZE, [...before, { picture: flatPicture(SIZE, WHITE), delayMs: 100 }, ...decoys])
  const third = nthFrame(gif, Buffer.from('21f904', 'hex'), 3)
  gif[third + 8 + 10 + 3 * 2 ** ((gif.readUInt8(third + 17) & 7) + 1)] = 12 // a code size that every decoder rejects
  t.ok((await bitsTo(1, gif)) <= 16, 'GIF: pixels that cannot be decoded')

  const apng = await apngOf(SIZE, [...before, ...decoys])
  const control = nthFrame(apng, Buffer.from('fcTL'), 3) + 4
  apng.writeUInt32BE(99, control)
  apng.set(pngChunk('fcTL', apng.subarray(control, control + 26)).subarray(-4), control + 26)
  t.ok((await bitsTo(1, apng)) <= 8, 'APNG: a chunk with a wrong number')
})

function nthFrame(file: Buffer, mark: Buffer, n: number): number {
  let at = -1
  for (let k = 0; k < n; k++) at = file.indexOf(mark, at + 1)
  return at
}

t.test('stills made from frames keep the colour information of the file', async (t) => {
  const frames = [1, 2].map((seed) => ({ picture: framePicture(seed, SIZE), delayMs: 500 }))
  const gamma = pngChunk('gAMA', Buffer.from([0, 0, 0xb1, 0x8f]))
  const limits = { sizeFor: hashedSize, purpose: 'register' } as const
  let stills = 0
  for await (const { bytes } of stillsOf(await apngOf(SIZE, frames, { chunks: [gamma] }), 'png', limits)) {
    stills++
    t.ok(bytes.includes(gamma))
  }
  const pages = await Promise.all(
    frames.map(({ picture }) =>
      sharp(picture.data, { raw: { ...SIZE, channels: 4 } })
        .png()
        .toBuffer(),
    ),
  )
  const webp = await sharp(pages, { join: { animated: true } })
    .withIccProfile('p3')
    .webp({ lossless: true })
    .toBuffer()
  for await (const { bytes } of stillsOf(webp, 'webp', limits)) {
    stills++
    t.ok((await sharp(bytes).metadata()).icc?.equals((await sharp(webp).metadata()).icc ?? Buffer.alloc(0)))
  }
  t.equal(stills, 4)
})
