// A platform that hashes by itself can query by details, and its pictures are not sent. Hostile details are refused or find nothing.

import sharp from 'sharp'
import t from 'tap'
import type { AskedView, Feature } from '../../packages/hash/src/details/features.js'
import { readAsked, writeAsked } from '../../packages/hash/src/details/written.js'
import { detailsOf, hashImage } from '../../packages/hash/src/hash-image.js'
import type { Pixels } from '../../packages/hash/src/pixels.js'
import { chessboard, shaded } from '../hash/patterns.js'
import { noisy, wordsFrom } from '../hash/synthetic.js'
import { scene } from '../helpers/pictures.js'
import { recordingClient } from '../helpers/recording-client.js'
import { refused } from '../helpers/refusal.js'
import { post } from '../helpers/requests.js'
import { keyFor, openCase, startService, until } from '../helpers/service.js'
import { listen } from '../helpers/sockets.js'

const LARGE_BODY = 250_000

const hers = await pixelsOf((await scene(83, { width: 900, height: 700 })).bytes)
const ready = startService(t, { extendedProtection: true }).then(async (service) => {
  const { key, headers } = await keyFor(service, 'platform', ['match'])
  const case_ = await openCase(service.app, { extendedProtection: true })
  const { signals } = await hashImage(hers, { purpose: 'register' })
  const details = await detailsOf(hers, { purpose: 'register' })
  // Computing details blocks this process for a while, so the store may seem unavailable.
  const image = { images: [{ signals, details }] }
  await until(async () => (await post(service.app, `${case_.url}/hashes`, image, case_.headers)).statusCode === 201)
  const url = `http://127.0.0.1:${await listen(service.app)}`
  const { tabir, sent } = recordingClient(url, key)
  return { app: service.app, headers, tabir, sent }
})

t.test('the client finds a copy inside another picture by details, and sends no picture', async (t) => {
  const { tabir, sent } = await ready
  const page = await pixelsOf(await hidden())
  t.same((await tabir.matchPixels(page)).matches, [])
  sent.length = 0
  const { matches = [] } = await tabir.matchPixels(page, { withDetails: true })
  t.match(matches, [{ grade: 'near', view: 'details', signalType: 'detail', details: { region: { left: Number } } }])
  const { left = 0, top = 0, right = 0, bottom = 0 } = matches[0]?.details?.region ?? {}
  t.ok(
    left >= 0.22 && top >= 0.18 && right <= 0.75 && bottom <= 0.72,
    `the region of the copy: ${[left, top, right, bottom]}`,
  )

  t.equal(new Set(sent).size, 1)
  const { queries } = JSON.parse(sent[0] ?? '')
  t.same(Object.keys(queries[0]).sort(), ['details', 'signals'])
  t.ok((sent[0]?.length ?? 0) < LARGE_BODY)
})

t.test('forty queries with details are split into accepted bodies and answered in order', async (t) => {
  const { tabir, sent } = await ready
  const page = await pixelsOf(await hidden())
  const own = { ...(await hashImage(page)), details: await detailsOf(page) }
  const none = { signals: own.signals, details: written([]) }
  sent.length = 0
  const results = await tabir.match(Array.from({ length: 40 }, (_, i) => (i % 13 === 7 ? own : { ...none, details: full })))
  t.ok(new Set(sent).size > 1 && sent.every((body) => body.length < 4 << 20))
  t.same(
    results.flatMap(({ matches = [] }, i) => (matches.length > 0 ? [i] : [])),
    [7, 20, 33],
  )
})

t.test('boards, text, noise, tiles and confetti match nothing by details', async (t) => {
  const { tabir } = await ready
  const hashed = (x: number, y: number) => Math.imul((x * 73_856_093) ^ (y * 19_349_663), 2_654_435_761) >>> 20
  const at = (x: number, y: number) => Array.from(hers.data.subarray((y * hers.width + x) * 3, (y * hers.width + x) * 3 + 3))
  const confetti = await sharp(
    raw(shaded(900, 700, (x, y) => [hashed(x >> 3, y >> 3) % 256, hashed((y >> 3) + 999, x >> 3) % 256, 90])),
    {
      raw: { width: 900, height: 700, channels: 3 },
    },
  )
    .jpeg({ quality: 70 })
    .toBuffer()
  t.ok(confetti.length > 40_000 && confetti.length < 80_000, `${confetti.length} bytes`)
  const odd = {
    board: chessboard(900, 900, 30),
    text: shaded(800, 900, (x, y) => (y % 24 < 12 && hashed(x >> 2, y >> 2) % 3 === 0 ? [20] : [245]), 1),
    noise: noisy(5, 900, 700, 1),
    'tiles of her own picture': shaded(900, 900, (x, y) => at(300 + (x % 60), 200 + (y % 60))),
    confetti: await pixelsOf(confetti),
  }
  for (const [what, pixels] of Object.entries(odd)) {
    const result = await tabir.matchPixels(pixels, { withDetails: true })
    t.same(result.matches ?? [], [], what)
  }
})

t.test('malformed details, or too many of them, are refused', async (t) => {
  const { app, headers } = await ready
  const signals = [{ type: 'pdq', hash: '5'.repeat(64) }]
  const views = readAsked(Buffer.from(full, 'base64')) ?? []
  const [view] = views
  if (view === undefined) throw new Error('nine views')
  const first = (change: Partial<Feature>) =>
    written([{ ...view, features: view.features.map((each) => ({ ...each, ...change })) }])
  const bad = {
    'ten thousand features': written(Array.from({ length: 34 }, () => view)),
    'ten views': written(Array.from({ length: 10 }, () => ({ ...view, features: [] }))),
    'more features than a view has': written([{ ...view, features: [...view.features, ...view.features] }]),
    'an angle beyond the last': first({ angle: 64 }),
    'a level beyond the last': first({ level: 6 }),
    'a view without a side': written([{ ...view, width: 0 }]),
    'a view larger than any': written([{ ...view, width: 1001 }]),
    'a part without room': written([{ ...view, part: { left: 0.5, top: 0, right: 0.5, bottom: 1 } }]),
    'cut short': written(views).slice(0, -8),
    'of a picture to be registered': await detailsOf(hers, { purpose: 'register' }),
    'no base64': '*'.repeat(40),
  }
  for (const [what, details] of Object.entries(bad))
    refused(t, await post(app, '/v1/match', { queries: [{ signals, details }] }, headers), 'request-invalid', what)
})

t.test('the maximum number of features, with the picture’s own at wrong places, is no match', async (t) => {
  const { app, headers } = await ready
  const signals = [{ type: 'pdq', hash: '5'.repeat(64) }]
  const word = wordsFrom(9)
  const own = readAsked(Buffer.from(await detailsOf(hers), 'base64')) ?? []
  const scattered = own.map((view) => ({
    ...view,
    features: view.features.map((feature) => ({
      ...feature,
      x: (word() >>> 8) % view.width,
      y: (word() >>> 8) % view.height,
      angle: (word() >>> 8) % 64,
    })),
  }))
  const same = own.map((view) => ({
    ...view,
    features: Array.from({ length: 300 }, () => view.features[3] ?? view.features[0]),
  }))
  for (const [what, details] of Object.entries({
    scattered: written(scattered),
    'one, again and again': written(same),
    full,
  })) {
    const answer = await post(app, '/v1/match', { queries: [{ signals, details }] }, headers)
    t.same(answer.json(), { results: [{ matches: [] }] }, what)
  }
})

/** Nine views of 300 features each, of noise. */
const full = await (async () => {
  const [view] = readAsked(Buffer.from(await detailsOf(noisy(8, 900, 900, 1)), 'base64')) ?? []
  if (view?.features.length !== 300) throw new Error('noise is full of corners')
  return written(Array.from({ length: 9 }, () => view))
})()

function written(views: readonly (Omit<AskedView, 'features'> & { features: readonly (Feature | undefined)[] })[]): string {
  const whole = views.map((view) => ({ ...view, features: view.features.flatMap((feature) => feature ?? []) }))
  return Buffer.from(writeAsked(whole)).toString('base64')
}

/** The picture rotated by 24 degrees on a page of other content. */
async function hidden(): Promise<Buffer> {
  const rotated = await sharp(raw(hers), { raw: { width: hers.width, height: hers.height, channels: 3 } })
    .resize(420)
    .rotate(24, { background: '#00000000' })
    .png()
    .toBuffer()
  const page = (await scene(90, { width: 1000, height: 1000 })).bytes
  return sharp(page)
    .composite([{ input: rotated, left: 250, top: 220 }])
    .jpeg({ quality: 85 })
    .toBuffer()
}

function raw({ data }: Pixels): Buffer {
  return Buffer.from(data)
}

async function pixelsOf(file: Buffer): Promise<Pixels> {
  const { data, info } = await sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height, channels: 3 }
}
