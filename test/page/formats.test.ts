// Real-world files: the page hashes each as the service does, and offers for sending only files that the service accepts.

import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Page } from 'playwright-core'
import sharp from 'sharp'
import t from 'tap'
import { distance, parseHash } from '../../packages/hash/src/hash256.js'
import { hashImage } from '../../workers/media/hashes-of-file.js'
import { pictureFile, sharedSite, usualSite, withoutBrowser } from '../helpers/browser.js'
import { croppedTo } from '../helpers/heic.js'
import { animatedJxl, jxlOf, turnedJxl } from '../helpers/jxl-files.js'
import { longPicture, SCENE } from '../helpers/long-picture.js'
import { fromPixels, type Pixels, scenePixels } from '../helpers/pictures.js'
import { allRead, choose, type GivenFile, protectAll, toChoosing } from '../helpers/steps.js'

const skip = withoutBrowser
const HEIC = resolve(import.meta.dirname, '../../../test/data/heic')
const MAX_BITS = 10
/** The distance within which a platform usually finds a copy. */
const MATCHING_BITS = 31
const SIZE = { width: 480, height: 360 }
const RAW = { ...SIZE, channels: 3 } as const

const heic = (name: string): GivenFile => fileOf(name, 'image/heic', readFileSync(join(HEIC, name)))
const fileOf = (name: string, mimeType: string, buffer: Buffer): GivenFile => ({ name, mimeType, buffer })
const statesOf = (page: Page) =>
  page.$$eval('#pictures .state', (states) => states.map(({ textContent }) => textContent ?? ''))
const isDecoder = (url: string) =>
  /worker-\w+-[0-9a-f]{16}\.js$/.test(new URL(url).pathname) && /worker-(heif|jxl)/.test(url)

type Prepare = (page: Page) => Promise<unknown>

interface Sent {
  readonly type: string
  readonly view: string
  readonly hash: string
}

/** @returns the PDQ hashes of whole views that were sent, for each file. */
async function sentFor(files: readonly GivenFile[], prepare?: Prepare): Promise<string[][]> {
  return (await signalsFor(files, prepare)).map((signals) =>
    signals.filter(({ type, view }) => type === 'pdq' && view === 'whole').map(({ hash }) => hash),
  )
}

/** Submits files through the page. @returns what was sent for each. */
async function signalsFor(files: readonly GivenFile[], prepare: Prepare = async () => {}): Promise<Sent[][]> {
  const site = await usualSite()
  const { page, faults } = await site.visit('/')
  await prepare(page)
  const images: { signals: Sent[] }[] = []
  page.on('request', (request) => {
    if (request.url().endsWith('/hashes')) images.push(...request.postDataJSON().images)
  })
  await toChoosing(page)
  await choose(page, files)
  await allRead(page)
  t.same(
    (await statesOf(page)).filter((state) => !state.startsWith('Ready')),
    [],
    'all can be registered',
  )
  await protectAll(page)
  t.same(faults, [])
  t.equal(images.length, files.length)
  return images.map(({ signals }) => signals)
}

async function bitsToServer(hash: string | undefined, file: Buffer): Promise<number> {
  const [whole] = (await hashImage(file, 'register')).signals
  const [ours, theirs] = [parseHash(hash ?? ''), whole?.hashes[0]]
  return ours === undefined || theirs === undefined ? Number.NaN : distance(ours, theirs)
}

const jpegOf = (seed: number) => sharp(scenePixels(seed, SIZE).data, { raw: RAW }).jpeg({ quality: 95 }).toBuffer()

t.test('HEIC is read by a decoder that is loaded once, on demand, and that cannot connect', { skip }, async (t) => {
  const names = readdirSync(HEIC).filter((name) => name.endsWith('.heic'))
  const hashes = await sentFor(names.map(heic))
  for (const [k, name] of names.entries()) {
    const bits = await bitsToServer(hashes[k]?.[0], readFileSync(join(HEIC, name)))
    t.ok(bits <= MAX_BITS, `${name}: ${bits} bits from the server`)
  }

  const [cut, hidden] = [600, 32].map((width) =>
    croppedTo(readFileSync(join(HEIC, 'two.heic')), { width, height: width === 600 ? 440 : 32 }),
  )
  if (cut === undefined || hidden === undefined) throw new Error('two files')
  const shown = await sentFor([fileOf('cut.heic', 'image/heic', cut), fileOf('hidden.heic', 'image/heic', hidden)])
  t.same(
    shown.map(({ length }) => length),
    [2, 1],
    'a clean aperture is shown without and with it, unless it shows too little',
  )
  for (const [k, file] of [cut, hidden].entries()) {
    const { signals } = await hashImage(file, 'register')
    const theirs = signals.filter(({ type, view }) => type === 'pdq' && view === 'whole').map(({ hashes }) => hashes[0])
    const ours = (shown[k] ?? []).map(parseHash)
    t.equal(ours.length, theirs.length)
    for (const [i, hash] of theirs.entries()) {
      const own = ours[i]
      t.ok(own !== undefined && hash !== undefined && distance(own, hash) <= MAX_BITS, 'as on the server')
    }
  }

  const site = await usualSite()
  const { page } = await site.visit('/')
  const decoders: string[] = []
  page.on('request', (request) => void (isDecoder(request.url()) && decoders.push(request.url())))
  await toChoosing(page)
  await choose(page, [await pictureFile(1)])
  await allRead(page)
  t.same(decoders, [])
  const decoding = page.waitForEvent('worker', { predicate: (worker) => isDecoder(worker.url()) })
  await choose(page, ['turned.heic', 'tiles.heic', 'display-p3.heic'].map(heic))
  const tried = await (await decoding).evaluate(async (url) => {
    const ways = [() => fetch(url), () => import(`${url}/assets/x.js`), () => fetch(`${url}/v1/cases`, { method: 'POST' })]
    const end = (way: () => Promise<unknown>) =>
      way().then(
        () => 'went out',
        () => 'forbidden',
      )
    return Promise.all(ways.map(end))
  }, site.url)
  t.same(tried, ['forbidden', 'forbidden', 'forbidden'])
  await allRead(page)
  t.match(await statesOf(page), [/Ready/, /Ready/, /Ready/, /Ready/])
  t.equal(new Set(decoders).size, 1)
})

/** As in a browser without JPEG XL. */
const WITHOUT_JXL = `{
  const open = createImageBitmap
  globalThis.createImageBitmap = async (source, ...rest) => {
    if (source instanceof Blob && source.type === 'image/jxl') throw new DOMException('unknown', 'InvalidStateError')
    return open(source, ...rest)
  }
}
`

t.test('JPEG XL is hashed as on the server, also in a browser without it', { skip }, async (t) => {
  const stills = await Promise.all([31, 32].map((seed) => jxlOf(scenePixels(seed, SIZE))))
  const files = {
    lossy: await jxlOf(scenePixels(33, SIZE), { effort: 3 }),
    turned: turnedJxl(await jxlOf(scenePixels(34, SIZE), { effort: 3 }), 6),
    moving: animatedJxl(stills, [1, 100]),
    large: await jxlOf(await enlarged(35), { effort: 1 }),
  }
  const given = Object.entries(files).map(([name, bytes]) => fileOf(`${name}.jxl`, 'image/jxl', bytes))
  const ways = {
    known: async () => {},
    unknown: (page: Page) =>
      page.route('**/assets/worker-*', async (route) => {
        const response = await route.fetch()
        await route.fulfill({ response, body: WITHOUT_JXL + (await response.text()) })
      }),
  }
  for (const [way, prepare] of Object.entries(ways)) {
    const hashes = await sentFor(given, prepare)
    for (const [k, [name, bytes]] of Object.entries(files).entries()) {
      const bits = await bitsToServer(hashes[k]?.[0], bytes)
      t.ok(bits <= MAX_BITS, `${name}, ${way}: ${bits} bits from the server`)
    }
  }
})

async function enlarged(seed: number): Promise<Pixels> {
  const { data, info } = await sharp(scenePixels(seed, SIZE).data, { raw: RAW })
    .resize(1500, 1010, { fit: 'fill' })
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height }
}

const withoutHeic = sharedSite(t, { site: { unread: ['heif'] } })

t.test('where the operator has disabled HEIC, no decoder is loaded and sending is not offered', { skip }, async (t) => {
  const site = await withoutHeic()
  const { page } = await site.visit('/')
  const decoders: string[] = []
  page.on('request', (request) => void (isDecoder(request.url()) && decoders.push(request.url())))
  await toChoosing(page)
  await choose(page, [heic('turned.heic')])
  await allRead(page)
  t.match(await statesOf(page), [/Neither this browser nor our server can open this picture/])
  t.notOk(await page.isVisible('#upload'))
  t.same(decoders, [])
})

t.test('the frames of an animation are hashed, also after a blank one', { skip }, async (t) => {
  const blank = Buffer.alloc(3 * SIZE.width * SIZE.height, 255)
  const seeds = [11, 12]
  const raw = { ...RAW, height: 3 * SIZE.height, pageHeight: SIZE.height }
  const frames = Buffer.concat([blank, ...seeds.map((seed) => scenePixels(seed, SIZE).data)])
  const delay = [20, 900, 500]
  const files = await Promise.all(
    (['gif', 'webp'] as const).map(async (format) =>
      fileOf(`a.${format}`, `image/${format}`, await sharp(frames, { raw }).toFormat(format, { delay }).toBuffer()),
    ),
  )
  for (const hashes of await sentFor(files)) {
    t.equal(hashes.length, 2)
    for (const [k, seed] of seeds.entries()) t.ok((await bitsToServer(hashes[k], await jpegOf(seed))) <= 16, `frame ${k}`)
  }
})

t.test('a transparent picture is hashed on white and on black, and a WebP is rotated by its EXIF', { skip }, async (t) => {
  const { width, height } = SIZE
  const rgb = scenePixels(13, SIZE).data
  const rgba = Buffer.alloc(4 * width * height)
  for (let k = 0; k < width * height; k++) {
    rgb.copy(rgba, 4 * k, 3 * k, 3 * k + 3)
    const [x, y] = [(k % width) / width - 0.5, Math.floor(k / width) / height - 0.5]
    rgba[4 * k + 3] = Math.hypot(x, y) < 0.35 ? 255 : 0
  }
  const sticker = await sharp(rgba, { raw: { ...SIZE, channels: 4 } })
    .png()
    .toBuffer()
  const turned = await sharp(await jpegOf(14))
    .rotate(-90)
    .withMetadata({ orientation: 6 })
    .webp({ quality: 95 })
    .toBuffer()
  const [stickers, upright] = await sentFor([fileOf('a.png', 'image/png', sticker), fileOf('b.webp', 'image/webp', turned)])
  const on = (background: string) => sharp(sticker).flatten({ background }).png().toBuffer()
  t.equal(stickers?.length, 2)
  t.ok((await bitsToServer(stickers?.[0], await on('#fff'))) <= 2)
  t.ok((await bitsToServer(stickers?.[1], await on('#000'))) <= 2)
  t.ok((await bitsToServer(upright?.[0], turned)) <= MAX_BITS)
})

t.test('a large JPEG is decoded at a reduced size and has the hashes of the server', { skip }, async (t) => {
  const enlarged = async (width: number, height: number, orientation: number) => {
    const picture = sharp(await jpegOf(15)).resize(width, height, { fit: 'fill', kernel: 'cubic' })
    return picture.withMetadata({ orientation }).jpeg({ quality: 85 }).toBuffer()
  }
  const [upright, turned, larger] = [
    await enlarged(5000, 3600, 1),
    await enlarged(5000, 3600, 6),
    await enlarged(9000, 6000, 1),
  ]
  const files = [upright, turned, larger].map((file, k) => fileOf(`${k}.jpg`, 'image/jpeg', file))
  const [first, second, third] = await sentFor(files)
  t.ok((await bitsToServer(first?.[0], upright)) <= 2)
  t.ok((await bitsToServer(second?.[0], turned)) <= 2)
  t.ok((await bitsToServer(third?.[0], upright)) <= MAX_BITS)
})

t.test('a long picture has the hashes of the pictures in it', { skip }, async (t) => {
  const seeds = [21, 22, 23, 24, 25, 26, 27, 28, 29]
  const long = await fromPixels(await longPicture(seeds))
    .png()
    .toBuffer()
  const [signals = []] = await signalsFor([fileOf('a.png', 'image/png', long)])
  const registered = signals.flatMap(({ type, hash }) => (type === 'pdq-area' ? [parseHash(hash)] : []))
  for (const seed of seeds) {
    const { signals: asked } = await hashImage(await fromPixels(scenePixels(seed, SCENE)).png().toBuffer(), 'query')
    const [whole] = asked.filter(({ type }) => type === 'pdq-area').flatMap(({ hashes }) => hashes.slice(0, 1))
    const bits = Math.min(...registered.flatMap((hash) => (hash && whole ? [distance(hash, whole)] : [])))
    t.ok(bits <= MATCHING_BITS, `${seed}: ${bits} bits`)
  }
})
