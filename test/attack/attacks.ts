// Attacks that once worked, each on a service of its own: an attacker turns the service against a registered person, a platform or a bystander.

import { randomBytes } from 'node:crypto'
import sharp from 'sharp'
import { z } from 'zod'
import { formatHash, type Hash256, parseHash } from '../../packages/hash/src/hash256.js'
import { images, type Multipart } from '../helpers/multipart.js'
import { fromPixels, type Picture, scene, scenePixels } from '../helpers/pictures.js'
import {
  type Ending,
  keyFor,
  openCase,
  randomHashText,
  randomlyFlipped,
  startService,
  type TestService,
} from '../helpers/service.js'
import { send } from '../helpers/uploads.js'
import { bentTo } from './bent.js'
import { fill, inflate } from './inflation.js'
import { occupy } from './occupation.js'

/** How much an attack does. Small is for the end-to-end tests. */
export type Scale = 'small' | 'large'

export interface Attack {
  readonly name: string
  /** @returns the promises that it broke, as sentences. */
  readonly run: (t: Ending, scale: Scale) => Promise<string[]>
}

export const ATTACKS: readonly Attack[] = [
  { name: 'suspend the keys of a platform', run: suspend },
  { name: 'disarm a picture by hashes near it', run: disarmByHashes },
  { name: 'disarm a picture by bent pictures', run: disarmByPictures },
  { name: 'flag other pictures by chosen hashes', run: flagOthers },
  { name: 'make an innocent picture exact', run: incriminate },
  { name: 'make a video exact by its MD5', run: sameMd5 },
  { name: 'weaken other matches by many rows', run: inflate },
  { name: 'fill the store with hashes', run: fill },
  { name: 'stop answers by large submissions', run: slowDown },
  { name: 'keep the videos of others waiting', run: occupy },
]

const WIDTH = 320
const HEIGHT = 240
const SIZE = { width: WIDTH, height: HEIGHT }
/** Just beyond the radius: such hashes match nothing, but are near the edge of a match. */
const BEYOND_BITS = 33
/** At the edge of a match, within it, and between two bands of distance. */
const EDGES_BITS = [30, 23, 16] as const
const INNER_BITS = 16

const Answer = z.object({
  results: z.array(
    z.object({
      matches: z.array(z.object({ grade: z.string(), view: z.string() })),
      signals: z.array(z.object({ type: z.string(), hash: z.string() })).optional(),
    }),
  ),
})

/** A service as the public meets it, with a key of a platform. */
async function start(t: Ending) {
  const service = await startService(t, { workers: true, exposure: 'public', probing: 'limit' })
  const { headers } = await keyFor(service, 'platform', ['match'])
  return { service, headers }
}

type Headers = Record<string, string>

async function askByPicture({ app }: TestService, headers: Headers, bytes: Buffer) {
  const picture: Picture = { name: 'a.png', contentType: 'image/png', bytes: Buffer.from(bytes) }
  const answer = await send(app, { url: '/v1/match/images', headers }, images([picture]))
  if (answer.statusCode !== 200) throw new Error(answer.body)
  const [result] = Answer.parse(answer.json()).results
  const grades = (result?.matches ?? []).map(({ grade }) => grade)
  return {
    grade: grades[0],
    view: result?.matches[0]?.view,
    isFound: grades.some((grade) => grade !== 'review'),
    signals: result?.signals ?? [],
  }
}

async function pdqOf(service: TestService, headers: Headers, bytes: Buffer): Promise<Hash256> {
  const { signals } = await askByPicture(service, headers, bytes)
  const hash = parseHash(signals.find(({ type }) => type === 'pdq')?.hash ?? '')
  if (hash === undefined) throw new Error('the picture has no hash')
  return hash
}

async function register({ app }: TestService, bytes: Buffer): Promise<void> {
  const her = await openCase(app)
  const upload: Multipart = images([{ name: 'a.png', contentType: 'image/png', bytes: Buffer.from(bytes) }])
  const answer = await send(app, { url: `${her.url}/images`, headers: her.headers }, upload)
  if (answer.statusCode !== 201) throw new Error(answer.body)
}

async function registerHashes({ app }: TestService, pictures: readonly (readonly object[])[]) {
  const { url, headers } = await openCase(app)
  const payload = { images: pictures.map((signals) => ({ signals })) }
  return app.inject({ method: 'POST', url: `${url}/hashes`, headers, payload })
}

const whole = (hash: string) => ({ type: 'pdq', view: 'whole', quality: 100, hash })

function askByHashes({ app }: TestService, headers: Headers, hashes: readonly string[]) {
  const payload = { queries: hashes.map((hash) => ({ signals: [{ type: 'pdq', hash }] })) }
  return app.inject({ method: 'POST', url: '/v1/match', headers, payload })
}

/** Somebody registers hundreds of hashes just beyond the radius of a picture; then anybody uploads it once. */
async function suspend(t: Ending, scale: Scale): Promise<string[]> {
  const { service, headers } = await start(t)
  const other = await keyFor(service, 'platform', ['match'])
  const { bytes } = await scene(900, { ...SIZE, format: 'png' })
  const hash = formatHash(await pdqOf(service, headers, bytes))
  for (let left = scale === 'large' ? 400 : 100; left > 0; left -= 100) {
    const answer = await registerHashes(
      service,
      Array.from({ length: 100 }, () => [whole(randomlyFlipped(hash, BEYOND_BITS))]),
    )
    if (answer.statusCode !== 201) throw new Error(answer.body)
  }
  await askByPicture(service, headers, bytes)
  const broken: string[] = []
  for (const [name, key] of [['the same key', headers] as const, ['another key', other.headers] as const]) {
    const { statusCode } = await askByHashes(service, key, [randomHashText()])
    if (statusCode !== 200) broken.push(`after one upload, ${name} of the platform gets ${statusCode}`)
  }
  return broken
}

/** Ordinary copies of a picture, as people make them. */
async function copiesOf(bytes: Buffer): Promise<Readonly<Record<string, Buffer>>> {
  const picture = () => sharp(bytes)
  const cut = (share: number) => ({
    left: Math.round(WIDTH * share),
    top: Math.round(HEIGHT * share),
    width: Math.round(WIDTH * (1 - 2 * share)),
    height: Math.round(HEIGHT * (1 - 2 * share)),
  })
  const bands = { top: HEIGHT / 2, bottom: HEIGHT / 2, background: '#101418' }
  return {
    same: bytes,
    compressed: await picture().jpeg({ quality: 50 }).toBuffer(),
    small: await picture()
      .resize(WIDTH / 2)
      .png()
      .toBuffer(),
    mirrored: await picture().flop().png().toBuffer(),
    turned: await picture().rotate(90).png().toBuffer(),
    bright: await picture().modulate({ brightness: 1.3 }).png().toBuffer(),
    cropped: await picture().extract(cut(0.05)).png().toBuffer(),
    framed: await picture().extend({ left: 60, right: 60, background: '#000' }).png().toBuffer(),
    captioned: await picture().extend({ bottom: 40, background: '#fff' }).png().toBuffer(),
    screenshot: await picture().resize({ width: 600 }).extend(bands).png().toBuffer(),
  }
}

async function foundCopies(service: TestService, headers: Headers, bytes: Buffer): Promise<Set<string>> {
  const found = new Set<string>()
  for (const [name, copy] of Object.entries(await copiesOf(bytes)))
    if ((await askByPicture(service, headers, copy)).isFound) found.add(name)
  return found
}

/** Registers a picture, attacks it, and compares which of its copies are found. */
async function disarm(
  t: Ending,
  seed: number,
  attack: (own: Hash256, service: TestService, headers: Headers) => Promise<void>,
) {
  const { service, headers } = await start(t)
  const { bytes } = await scene(seed, { ...SIZE, format: 'png' })
  await register(service, bytes)
  const before = await foundCopies(service, headers, bytes)
  if (before.size < 8) throw new Error(`only ${[...before].join()} are found`)
  await attack(await pdqOf(service, headers, bytes), service, headers)
  const after = await foundCopies(service, headers, bytes)
  return [...before].filter((name) => !after.has(name)).map((name) => `the ${name} copy is not found any more`)
}

function disarmByHashes(t: Ending, scale: Scale): Promise<string[]> {
  return disarm(t, 901, async (own, service, headers) => {
    for (const bits of EDGES_BITS) {
      const hashes = Array.from({ length: scale === 'large' ? 800 : 100 }, () => randomlyFlipped(formatHash(own), bits))
      const { statusCode, body } = await askByHashes(service, headers, hashes)
      if (statusCode !== 200) throw new Error(body)
    }
  })
}

function disarmByPictures(t: Ending, scale: Scale): Promise<string[]> {
  return disarm(t, 902, async (own, service, headers) => {
    for (let nth = 0; nth < (scale === 'large' ? 70 : 8); nth++) {
      const target = parseHash(randomlyFlipped(formatHash(own), INNER_BITS))
      if (target === undefined) throw new Error('a hash')
      const { picture } = bentTo(scenePixels(1000 + (nth % 8), SIZE), target)
      await askByPicture(service, headers, await fromPixels(picture).png().toBuffer())
    }
  })
}

/** Somebody registers as hashes what no picture has, and views of other pictures as the views of one. */
async function flagOthers(t: Ending, scale: Scale): Promise<string[]> {
  const { service, headers } = await start(t)
  const broken: string[] = []
  for (const pattern of ['0', 'f', '5', 'a', '3', 'c']) {
    const { statusCode } = await registerHashes(service, [[whole(pattern.repeat(64))]])
    if (statusCode === 201) broken.push(`a picture whose hash is all ${pattern} is registered`)
  }
  const count = scale === 'large' ? 40 : 6
  const views: { readonly type: string; readonly hash: string }[] = []
  for (let seed = 0; seed < count; seed++) {
    const { bytes } = await scene(1100 + seed, { ...SIZE, format: 'png' })
    views.push(...(await askByPicture(service, headers, bytes)).signals.filter(({ type }) => type === 'pdq-area'))
  }
  const labelled = views.slice(0, 190).map(({ hash }, i) => {
    return { type: 'pdq-area', view: i < 15 ? 'whole' : i % 2 === 0 ? 'crop' : 'tilted', quality: 100, hash }
  })
  const chosen = await registerHashes(service, [[whole(randomHashText()), ...labelled]])
  if (chosen.statusCode !== 201 && !chosen.body.includes('hash-improbable')) throw new Error(chosen.body)
  for (let seed = 0; seed < count; seed++) {
    const { bytes } = await scene(1100 + seed, { ...SIZE, format: 'png' })
    const { grade, view } = await askByPicture(service, headers, bytes)
    if (grade === 'exact' || grade === 'strong') broken.push(`hashes of an unattested case make another picture ${grade}`)
    if (view === 'whole') broken.push('a hash is believed to be of a whole that has another PDQ')
  }
  return broken
}

/** An innocent picture is bent until its PDQ is that of a registered one. */
async function incriminate(t: Ending, scale: Scale): Promise<string[]> {
  const { service, headers } = await start(t)
  const broken: string[] = []
  for (let nth = 0; nth < (scale === 'large' ? 12 : 2); nth++) {
    const { bytes } = await scene(1200 + nth, { ...SIZE, format: 'png' })
    await register(service, bytes)
    const own = await pdqOf(service, headers, bytes)
    const { picture, distanceBits } = bentTo(scenePixels(1300 + nth, SIZE), own)
    if (distanceBits > 2) throw new Error(`the picture could only be bent to ${distanceBits} bits`)
    const png = await fromPixels(picture).png().toBuffer()
    for (const file of [png, await sharp(png).jpeg({ quality: 80 }).toBuffer()]) {
      const { grade } = await askByPicture(service, headers, file)
      if (grade === 'exact' || grade === 'strong') broken.push(`a bent picture is ${grade}`)
    }
    const answer = await askByHashes(service, headers, [formatHash(own)])
    if (Answer.parse(answer.json()).results[0]?.matches[0]?.grade === 'exact') broken.push('one hash alone is exact')
  }
  return broken
}

/** Two files can have one MD5: one is registered, and the other is asked for. */
async function sameMd5(t: Ending): Promise<string[]> {
  const { service, headers } = await start(t)
  const md5 = randomBytes(16).toString('hex')
  const video = (sha256: string) => {
    const frames = [{ atMs: 0, signals: [{ type: 'pdq', quality: 100, hash: randomHashText() }] }]
    return { durationMs: 2000, frames, md5, sha256 }
  }
  const { url, headers: own } = await openCase(service.app)
  const payload = { videos: [video(randomHashText())] }
  const { statusCode, body } = await service.app.inject({ method: 'POST', url: `${url}/hashes`, headers: own, payload })
  if (statusCode !== 201) throw new Error(body)
  const queries = [{ video: video(randomHashText()) }]
  const answer = await service.app.inject({ method: 'POST', url: '/v1/match', headers, payload: { queries } })
  const [result] = Answer.parse(answer.json()).results
  const acted = (result?.matches ?? []).filter(({ grade }) => grade !== 'review')
  return acted.map(({ grade }) => `another video of one MD5 is ${grade}`)
}

/** Submissions of 200 pictures with 194 hashes each arrive while a platform asks. */
async function slowDown(t: Ending, scale: Scale): Promise<string[]> {
  const { service, headers } = await start(t)
  const many = () =>
    Array.from({ length: 200 }, () => [
      whole(randomHashText()),
      ...Array.from({ length: 193 }, () => ({ type: 'pdq-area', view: 'crop', quality: 100, hash: randomHashText() })),
    ])
  const broken = new Set<string>()
  let isSending = true
  const sending = (async () => {
    try {
      const { statusCode, body } = await registerHashes(service, many())
      if (statusCode !== 201) throw new Error(body)
      for (let left = scale === 'large' ? 3 : 0; left > 0; left--) await registerHashes(service, many())
    } finally {
      isSending = false
    }
  })()
  while (isSending) {
    const { statusCode } = await askByHashes(service, headers, [randomHashText()])
    if (statusCode !== 200) broken.add(`a platform gets ${statusCode} during large submissions`)
  }
  await sending
  return [...broken]
}
