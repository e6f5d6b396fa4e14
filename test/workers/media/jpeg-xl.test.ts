import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import t from 'tap'
import { distance } from '../../../packages/hash/src/hash256.js'
import { loadPdqKernelSync } from '../../../packages/hash/src/pdq-kernel.js'
import { hashedSize } from '../../../packages/hash/src/reduced-side.js'
import type { Purpose } from '../../../packages/hash/src/views.js'
import { compileJxl, PAGE_BYTES } from '../../../src/domain/media/jxl-instance.js'
import { openJxl } from '../../../src/domain/media/jxl-picture.js'
import { isTooCostly, pictureCost } from '../../../src/domain/media/picture-cost.js'
import { Problem } from '../../../src/domain/problem.js'
import { decode, eachFrame } from '../../../workers/media/decode.js'
import { launchChromium, withoutBrowser } from '../../helpers/chromium.js'
import { animatedJxl, inContainer, jxlOf, turnedJxl } from '../../helpers/jxl-files.js'
import { fromPixels, orientations, type Pixels, scenePixels } from '../../helpers/pictures.js'

const COMPILED = compileJxl(readFileSync(fileURLToPath(import.meta.resolve('jxl-oxide-wasm/module.wasm'))))
const { hash } = loadPdqKernelSync()
const SIZE = { width: 61, height: 43 }
const SCENE = scenePixels(5, SIZE)
const bitsBetween = (a: Pixels, b: Pixels) => distance(hash({ ...a, channels: 3 }).hash, hash({ ...b, channels: 3 }).hash)
const shades = (bytes: Buffer, purpose: Purpose = 'register') =>
  eachFrame(bytes, { sizeFor: hashedSize, purpose }, ({ pixels }) => pixels.data[0] ?? -1)
const codeOf = (bytes: Buffer, purpose: Purpose = 'register'): Promise<unknown> =>
  shades(bytes, purpose).then(
    () => 'decoded',
    (error) => error.code,
  )

t.test('a lossless file decodes exactly, in each kind of container', async (t) => {
  const codestream = await jxlOf(SCENE)
  for (const bytes of [codestream, inContainer(codestream), inContainer(codestream, 3), inContainer(codestream, 400)]) {
    const { data, width, height } = await decode(bytes)
    t.same({ width, height }, SIZE)
    t.ok(data.equals(SCENE.data))
  }
  t.equal(await codeOf(Buffer.concat([codestream, Buffer.alloc(3000, 9)])), 'decoded', 'what follows does not matter')
})

t.test('a lossy file has the hash of its picture, also when it is reduced', async (t) => {
  const small = scenePixels(1)
  t.ok(bitsBetween(await decode(await jxlOf(small, { effort: 3 })), small) <= 4)
  const size = { width: 1500, height: 1010 }
  const large = {
    ...size,
    data: await fromPixels(small)
      .resize({ ...size, fit: 'fill' })
      .raw()
      .toBuffer(),
  }
  const reduced = await decode(await jxlOf(large, { effort: 1, progressive: true }))
  t.ok(reduced.width <= 650)
  t.ok(bitsBetween(reduced, large) <= 8)
})

t.test('a JPEG XL is shown as in Chromium', { skip: withoutBrowser }, async (t) => {
  const browser = await launchChromium()
  t.teardown(() => browser.close())
  const page = await browser.newPage()
  const small = scenePixels(1, { width: 200, height: 150 })
  const still = await jxlOf(small, { effort: 3 })
  for (const [name, bytes] of Object.entries({ still, turned: turnedJxl(still, 6), alpha: await jxlOf(faint(small)) })) {
    const { width, shown } = await page.evaluate(async (base64) => {
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))
      const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/jxl' })).catch(() => undefined)
      if (bitmap === undefined) return { width: 0, shown: [] }
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d', { alpha: false })
      if (context === null) throw new Error('no canvas')
      context.fillStyle = '#fff'
      context.fillRect(0, 0, bitmap.width, bitmap.height)
      context.drawImage(bitmap, 0, 0)
      const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height)
      return { width: bitmap.width, shown: [...data].filter((_, k) => k % 4 < 3) }
    }, bytes.toString('base64'))
    if (width === 0) return t.pass('this Chromium does not know JPEG XL')
    const ours = await decode(bytes)
    t.equal(ours.width, width, name)
    const bits = bitsBetween(ours, { data: Buffer.from(shown), width, height: shown.length / 3 / width })
    t.ok(bits <= 2, `${name}: ${bits} bits`)
  }
})

t.test('a picture is rotated once, by its header', async (t) => {
  const picture = scenePixels(1, { width: 90, height: 60 })
  for (const orientation of orientations) {
    const upright = await sharp(await fromPixels(picture).withMetadata({ orientation }).png().toBuffer(), {
      autoOrient: true,
    })
      .raw()
      .toBuffer()
    t.ok((await decode(turnedJxl(await jxlOf(picture), orientation))).data.equals(upright), `orientation ${orientation}`)
  }
})

t.test('transparent parts of a JPEG XL are shown on white', async (t) => {
  const { data } = await decode(await jxlOf(faint(SCENE)))
  const shown = SCENE.data.map((value) => Math.round((value * 128 + 255 * 127) / 255))
  t.ok(data.every((value, k) => Math.abs(value - (shown[k] ?? 0)) <= 1))
})

t.test('the longest frame of an animated JPEG XL comes first', async (t) => {
  const grey = (level: number) => ({ ...SIZE, data: Buffer.alloc(3 * SIZE.width * SIZE.height, level) })
  const stills = await Promise.all([250, 10, 40, 90].map((level) => jxlOf(grey(level))))
  t.same(await shades(animatedJxl(stills, [1, 1, 200, 1])), [40, 250, 90, 10])
  t.same((await shades(inContainer(animatedJxl(stills, [1, 200, 1, 1]), 2)))[0], 10)
  const many = animatedJxl([...Array(500).fill(stills[0]), ...stills], [...Array(500).fill(1), 1, 1, 255, 1])
  const found = await shades(many)
  t.equal(found.length, 8, 'of 504 pictures')
  t.equal(found[0], 40)
  const cut = many.subarray(0, Math.floor(many.length * 0.9))
  t.equal(await codeOf(cut), 'image-undecodable')
  t.equal((await shades(cut, 'query')).length, 8, 'a query may be truncated')
})

t.test('an animation whose frames build on each other is decoded to its end', async (t) => {
  const size = { width: 480, height: 360 }
  const dark = Buffer.from(scenePixels(1, size).data.map((value) => value >> 1))
  const first = await jxlOf({ ...size, data: dark })
  const other = await jxlOf({ ...size, data: Buffer.alloc(dark.length, 1) })
  const file = animatedJxl([first, ...Array(35).fill(other)], [...Array(35).fill(1), 9], true)
  const longest = { sizeFor: hashedSize, purpose: 'register', maxFrames: 1 } as const
  const [shade] = await eachFrame(file, longest, ({ pixels }) => pixels.data[0])
  t.equal(shade, (dark[0] ?? 0) + 35, 'the last one')
})

t.test('a lack of memory by its own bound is final, wherever within a page of memory the bound is', async (t) => {
  const bytes = await jxlOf(scenePixels(1, { width: 150, height: 120 }))
  const found = new Set<unknown>()
  for (let pages = 22; pages < 50; pages += 0.9) found.add(codeWith(pages * PAGE_BYTES))
  t.ok(found.has('decoded') && found.has('image-too-many-pixels'))
  t.notOk(found.has('hashing-unavailable'), 'which asks to send it again')

  function codeWith(maxMemoryBytes: number): unknown {
    try {
      const file = openJxl(COMPILED, bytes, { maxPixels: 1e9, maxSidePx: 65_535, maxMemoryBytes, isPartShown: false })
      file.png(0)
      file.close()
      return 'decoded'
    } catch (error) {
      return error instanceof Problem ? error.code : error
    }
  }
})

t.test('a truncated JPEG XL is refused for registration, and shown as far as it goes for a query', async (t) => {
  const large = scenePixels(1, { width: 300, height: 520 }) // in groups of 256
  for (const [name, bytes] of Object.entries({
    lossless: await jxlOf(large),
    'lossy, in a container': inContainer(await jxlOf(large, { effort: 3 })),
  })) {
    let shown = 0
    for (let part = 0; part < 20; part++) {
      const cut = bytes.subarray(0, Math.floor((bytes.length * part) / 20))
      t.equal(await codeOf(cut), part === 0 ? 'media-unsupported' : 'image-undecodable', `${name}, ${part} twentieths`)
      const code = await codeOf(cut, 'query')
      t.match(code, /^(decoded|image-undecodable|media-unsupported)$/, `${name}, ${part} twentieths`)
      if (code === 'decoded') shown++
    }
    t.ok(shown >= 10, `${name}: ${shown} of 20 parts are shown`)
  }
})

t.test('a JPEG XL that would cost too much is refused by its header', async (t) => {
  const header = (...fields: readonly [value: number, bits: number][]) => {
    const bits = fields.map(([value, count]) => [...value.toString(2).padStart(count, '0')].reverse().join('')).join('')
    const bytes = bits.match(/.{1,8}/g) ?? []
    return Buffer.from([
      0xff,
      0x0a,
      ...bytes.map((byte) => Number.parseInt([...byte.padEnd(8, '0')].reverse().join(''), 2)),
      ...Array(40).fill(0),
    ])
  }
  const sized = (side: number) =>
    [
      [0, 1],
      [3, 2],
      [side - 1, 30],
      [0, 3],
      [3, 2],
      [side - 1, 30],
    ] as const
  for (const side of [2 ** 30, 60_000, 20_000]) {
    t.equal(
      await codeOf(header(...sized(side).map(([v, b]) => [v, b] as [number, number]), [1, 1])),
      'image-too-many-pixels',
      `${side}`,
    )
  }
  const channels = header([1, 1], [31, 5], [1, 3], [0, 2], [0, 3], [1, 1], [3, 2], [4095, 12])
  t.match(await codeOf(channels), /image-undecodable|image-too-many-pixels/, '4,096 channels')

  const layers = await jxlOf(scenePixels(1, { width: 640, height: 480 }))
  const many = animatedJxl(Array(400).fill(layers), Array(400).fill(0))
  const { timeMs } = pictureCost(many)
  t.ok(timeMs > 1000, `400 layers cost ${timeMs} ms`)
  t.ok(isTooCostly(pictureCost(many), 20_000))
})

t.test('a JPEG XL one pixel wide or high is decoded', async (t) => {
  for (const [width, height] of [
    [1, 1],
    [1, 300],
    [300, 1],
  ] as const) {
    const picture = { width, height, data: Buffer.alloc(3 * width * height, 90) }
    t.ok((await decode(await jxlOf(picture))).data.equals(picture.data))
    t.match(await decode(await jxlOf(picture, { effort: 3 })), { width, height })
  }
})

t.test('all memory of the decoder is overwritten, even after an error', async (t) => {
  const memories: WebAssembly.Memory[] = []
  const { Memory } = WebAssembly
  t.teardown(() => {
    WebAssembly.Memory = Memory
  })
  WebAssembly.Memory = class extends Memory {
    constructor(type: WebAssembly.MemoryDescriptor) {
      super(type)
      memories.push(this)
    }
  }
  const bytes = await jxlOf(SCENE, { effort: 3 })
  const broken = Buffer.from(bytes)
  broken.fill(0xff, 20)
  const used = await eachFrame(bytes, { sizeFor: hashedSize, purpose: 'register' }, () => memories.map(isWiped))
  t.same(used, [[false]], 'it holds the picture while in use')
  for (const file of [broken, bytes.subarray(0, 400)]) t.equal(await codeOf(file), 'image-undecodable')
  t.equal(memories.length, 3)
  for (const memory of memories) t.ok(isWiped(memory))
  t.ok((await decode(await jxlOf(SCENE))).data.equals(SCENE.data), 'the next picture is read normally')
})

function isWiped({ buffer }: WebAssembly.Memory): boolean {
  return new Uint32Array(buffer).every((word) => word === 0)
}

/** Half transparent. */
function faint({ data, width, height }: Pixels): Pixels {
  const rgba = Array.from({ length: width * height }, (_, k) => [...data.subarray(3 * k, 3 * k + 3), 128])
  return { data: Buffer.from(rgba.flat()), width, height }
}
