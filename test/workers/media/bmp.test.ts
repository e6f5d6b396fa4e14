import sharp from 'sharp'
import t from 'tap'
import { distance } from '../../../packages/hash/src/hash256.js'
import { loadPdqKernelSync } from '../../../packages/hash/src/pdq-kernel.js'
import { hashedSize } from '../../../packages/hash/src/reduced-side.js'
import { bmp } from '../../../workers/media/bmp.js'
import { decode, eachFrame } from '../../../workers/media/decode.js'
import { bmpFile, everyBmp, usualBmp } from '../../helpers/bmp-files.js'
import { launchChromium, withoutBrowser } from '../../helpers/chromium.js'
import { fromPixels, scenePixels } from '../../helpers/pictures.js'

const SIZE = { width: 61, height: 43 } // no multiple of anything, so that rows are padded
const FILES = everyBmp(scenePixels(5, SIZE))
const codeOf = (bytes: Buffer, purpose: 'register' | 'query' = 'register'): Promise<unknown> =>
  eachFrame(bytes, { sizeFor: hashedSize, purpose }, ({ pixels }) => pixels.width).then(
    () => 'decoded',
    (error) => error.code,
  )

t.test('every kind of BMP is decoded to its pixels', async (t) => {
  for (const { name, bytes, shown } of FILES) {
    const { data, width, height } = await decode(bytes)
    t.same({ width, height }, SIZE, name)
    t.ok(greatest(data, shown.data) <= 1, `${name}: ${greatest(data, shown.data)} levels`)
  }
})

t.test('every kind of BMP is shown as in Chromium', { skip: withoutBrowser }, async (t) => {
  const browser = await launchChromium()
  t.teardown(() => browser.close())
  const page = await browser.newPage()
  for (const { name, bytes } of FILES) {
    const shown = await page.evaluate(async (base64) => {
      const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))]))
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height)
      const context = canvas.getContext('2d', { alpha: false })
      if (context === null) return []
      context.fillStyle = '#fff'
      context.fillRect(0, 0, bitmap.width, bitmap.height)
      context.drawImage(bitmap, 0, 0)
      return [...context.getImageData(0, 0, bitmap.width, bitmap.height).data].filter((_, k) => k % 4 < 3)
    }, bytes.toString('base64'))
    const { data } = await decode(bytes)
    t.ok(greatest(data, Buffer.from(shown)) <= 2, `${name}: ${greatest(data, Buffer.from(shown))} levels`)
  }
})

t.test('a BMP has the hash of the same picture as PNG, also when it is reduced', async (t) => {
  const { hash } = loadPdqKernelSync()
  const data = await fromPixels(scenePixels(1)).resize({ width: 2000, height: 1500, fit: 'fill' }).raw().toBuffer()
  const picture = { data, width: 2000, height: 1500 }
  const twin = await decode(await fromPixels(picture).png({ compressionLevel: 1 }).toBuffer())
  t.equal(distance(hash(await decode(usualBmp(picture))).hash, hash(twin).hash), 0)
})

t.test('a colour profile of a BMP is applied', async (t) => {
  const picture = scenePixels(5, SIZE)
  const tagged = await fromPixels(picture).withIccProfile('p3').png().toBuffer()
  const stored = { ...picture, data: await sharp(tagged, { ignoreIcc: true }).raw().toBuffer() }
  const { icc } = await sharp(tagged).metadata()
  const plain = usualBmp(stored)
  const file = bmpFile({ ...stored, headerBytes: 124, bits: 24, body: plain.subarray(54), ...(icc && { profile: icc }) })
  t.ok(greatest((await decode(file)).data, (await decode(tagged)).data) <= 1)
  t.ok(greatest((await decode(file)).data, stored.data) > 10, 'one that matters')
  const broken = Buffer.from(file)
  broken.fill(0xff, 14 + 112, 14 + 120)
  t.ok((await decode(broken)).data.equals(stored.data), 'a profile outside of the file is ignored')
})

t.test('a fully transparent BMP is shown without its alpha', async (t) => {
  const picture = scenePixels(5, SIZE)
  const body = Buffer.alloc(4 * SIZE.width * SIZE.height)
  const rgb = usualBmp(picture)
  for (let k = 0; k < SIZE.width * SIZE.height; k++) {
    rgb.copy(
      body,
      4 * k,
      54 + 3 * (k % SIZE.width) + 184 * Math.floor(k / SIZE.width),
      57 + 3 * (k % SIZE.width) + 184 * Math.floor(k / SIZE.width),
    )
  }
  const masks = [0xff0000, 0xff00, 0xff, 0xff000000]
  const file = bmpFile({ ...SIZE, headerBytes: 124, bits: 32, compression: 3, masks, body })
  t.ok((await decode(file)).data.equals(picture.data))
})

t.test('a truncated BMP is refused for registration, and read as far as it goes for a query', async (t) => {
  for (const { name, bytes } of FILES.filter(({ name }) => /^(info, 8|runs|info, 24|alpha in v5)/.test(name))) {
    for (let part = 0; part < 20; part++) {
      const cut = bytes.subarray(0, Math.floor((bytes.length * part) / 20))
      const isEmpty = cut.length < 2
      t.equal(await codeOf(cut), isEmpty ? 'media-unsupported' : 'image-undecodable', `${name}, ${part} twentieths`)
      if (part > 10) t.equal(await codeOf(cut, 'query'), 'decoded', `${name}, ${part} twentieths`)
    }
  }
  const usual = usualBmp(scenePixels(5, SIZE))
  t.equal(await codeOf(usual.subarray(0, -1)), 'decoded', 'padding is no part of the picture')
  t.equal(await codeOf(usual.subarray(0, -2)), 'image-undecodable')
  t.equal(await codeOf(Buffer.concat([usual, Buffer.alloc(5000, 7)])), 'decoded', 'what follows does not matter')
})

t.test('a BMP that is too large or malformed is refused by its header', async (t) => {
  const sized = (width: number, height: number) =>
    bmpFile({ width, height, headerBytes: 40, bits: 24, body: Buffer.alloc(100) })
  t.equal(await codeOf(sized(60_000, 60_000)), 'image-too-many-pixels')
  t.equal(await codeOf(sized(0x7fff_ffff, 1)), 'image-too-many-pixels')
  t.equal(await codeOf(sized(1, -0x8000_0000)), 'image-too-many-pixels')
  for (const [width, height] of [
    [0, 1],
    [1, 0],
    [-1, 1],
  ] as const) {
    t.equal(await codeOf(sized(width, height)), 'image-undecodable', `${width} × ${height}`)
  }
  const body = Buffer.alloc(100)
  for (const [bits, compression] of [
    [0, 5],
    [0, 4],
    [3, 0],
    [64, 0],
    [24, 1],
    [8, 3],
    [1, 3],
    [32, 7],
  ] as const) {
    t.equal(
      await codeOf(bmpFile({ width: 2, height: 2, headerBytes: 40, bits, compression, body })),
      'image-undecodable',
      `${bits}, ${compression}`,
    )
  }
  t.equal(
    await codeOf(bmpFile({ width: 2, height: 2, headerBytes: 200, bits: 24, body })),
    'image-undecodable',
    'unknown header',
  )
  const array = Buffer.concat([Buffer.from('BA'), sized(2, 2).subarray(2)])
  t.equal(await codeOf(array), 'media-unsupported', 'an array of bitmaps')
})

t.test('a BMP one pixel wide or high is decoded', async (t) => {
  for (const [width, height] of [
    [1, 1],
    [1, 300],
    [300, 1],
  ] as const) {
    const picture = { width, height, data: Buffer.alloc(3 * width * height, 90) }
    t.match(await decode(usualBmp(picture)), { width, height })
  }
})

t.test('runs that leave their row or the picture are harmless', async (t) => {
  for (const hex of [
    'ff05ff05ff050001',
    '00020505',
    '0002ffff0001',
    '00ff',
    '0505'.repeat(50),
    '0000'.repeat(100),
    '00020000'.repeat(30),
  ]) {
    for (const [bits, compression] of [
      [8, 1],
      [4, 2],
      [24, 4],
    ] as const) {
      const file = bmpFile({ width: 4, height: 3, headerBytes: 64, bits, compression, body: Buffer.from(hex, 'hex') })
      t.match(await codeOf(file, 'query'), /decoded|image-undecodable/, hex)
    }
  }
})

t.test('the pixels handed to libvips are overwritten', async (t) => {
  const bytes = usualBmp(scenePixels(5, SIZE))
  const files: Buffer[] = []
  const alloc = Buffer.alloc
  t.teardown(() => {
    Buffer.alloc = alloc
  })
  Buffer.alloc = (...given: Parameters<typeof alloc>) => {
    const made = alloc(...given)
    files.push(made)
    return made
  }
  const limits = { sizeFor: hashedSize, purpose: 'register' } as const
  for await (const { pixels } of bmp.open(bytes, 'bmp', limits)) t.ok(pixels.data.some((byte) => byte !== 0))
  const held = files.filter((file) => file.length > 3 * SIZE.width * SIZE.height)
  t.ok(held.length >= 1)
  for (const file of held) t.ok(file.every((byte) => byte === 0))
})

function greatest(a: Buffer, b: Buffer): number {
  return a.length === b.length ? a.reduce((most, byte, k) => Math.max(most, Math.abs(byte - (b[k] ?? 0))), 0) : 256
}
