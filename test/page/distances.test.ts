import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import sharp from 'sharp'
import t from 'tap'
import { distance, type Hash256, parseHash } from '../../packages/hash/src/hash256.js'
import { hashImage } from '../../workers/media/hashes-of-file.js'
import { usualSite, withoutBrowser } from '../helpers/browser.js'
import { miniOf } from '../helpers/mini-files.js'
import { alphaPng, oddButGood, scene } from '../helpers/pictures.js'
import { allRead, choose, type GivenFile, protectAll, toChoosing } from '../helpers/steps.js'

interface Sent {
  readonly images: { readonly signals: { readonly type: string; readonly hash: string }[] }[]
}

const photographs = resolve(import.meta.dirname, '../../../demo/pictures')
const MAX_BITS = 8
const MEDIAN_BITS = 2

async function files(): Promise<GivenFile[]> {
  const jpeg = (name: string, buffer: Buffer) => ({ name, mimeType: 'image/jpeg', buffer })
  const asTaken = readdirSync(photographs).map((name) => jpeg(name, readFileSync(join(photographs, name))))
  const cat = sharp(readFileSync(join(photographs, 'cat.jpg')))
  const large = await cat.clone().resize(4000, 3000, { fit: 'fill', kernel: 'cubic' }).jpeg({ quality: 92 }).toBuffer()
  const uneven = await cat.clone().resize(3111, 641, { fit: 'fill', kernel: 'cubic' }).jpeg({ quality: 92 }).toBuffer()
  const rotated = await cat
    .clone()
    .rotate(90)
    .withExif({ IFD0: { Orientation: '8' } })
    .jpeg({ quality: 92 })
    .toBuffer()
  const formats = await Promise.all((['png', 'webp', 'gif', 'avif'] as const).map((format) => scene(5, { format })))
  const odd = await oddButGood(6)
  const mini = { name: 'mini.avif', contentType: 'image/avif', bytes: miniOf((await scene(8, { format: 'avif' })).bytes) }
  const others = [...formats, ...odd, await alphaPng(7), mini].map(({ name, contentType, bytes }) => ({
    name,
    mimeType: contentType,
    buffer: bytes,
  }))
  return [...asTaken, jpeg('large.jpg', large), jpeg('uneven.jpg', uneven), jpeg('turned.jpg', rotated), ...others]
}

t.test('device and server hash the same files alike', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()
  const { page } = await site.visit('/')
  const bodies: Sent[] = []
  page.on('request', (request) => {
    if (request.url().endsWith('/hashes')) bodies.push(request.postDataJSON())
  })
  const chosen = await files()
  await toChoosing(page)
  await choose(page, chosen)
  await allRead(page)
  await protectAll(page)

  const images = bodies.flatMap((body) => body.images)
  const bits: number[] = []
  for (const { name, buffer } of chosen) {
    const fileHash = createHash('sha256').update(buffer).digest('hex')
    const own = images.find(({ signals }) => signals.some(({ type, hash }) => type === 'sha256' && hash === fileHash))
    t.ok(own, `${name} was sent`)
    const server = await hashImage(buffer, 'register')
    const pairs: readonly (readonly [string, Hash256 | undefined])[] = [
      ['pdq', server.signals[0]?.hashes[0]],
      ['blockhash', server.blockhash[0]],
    ]
    for (const [type, theirs] of pairs) {
      const ours = parseHash(own?.signals.find((signal) => signal.type === type)?.hash ?? '')
      const apart = ours === undefined || theirs === undefined ? Number.NaN : distance(ours, theirs)
      t.ok(apart <= MAX_BITS, `${name}: ${type} is ${apart} bits apart`)
      bits.push(apart)
    }
  }
  bits.sort((a, b) => a - b)
  t.ok((bits[bits.length >> 1] ?? Number.NaN) <= MEDIAN_BITS)
})
