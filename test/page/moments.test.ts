// Animations on the page: registered by the moments by which the service registers them.

import t from 'tap'
import { distance, parseHash } from '../../packages/hash/src/hash256.js'
import { hashImage } from '../../workers/media/hashes-of-file.js'
import { apngOf, gifOf, webpOf } from '../helpers/animations.js'
import { usualSite, withoutBrowser } from '../helpers/browser.js'
import { fromPixels, scenePixels } from '../helpers/pictures.js'
import { allRead, choose, protectAll, toChoosing } from '../helpers/steps.js'

const SIZE = { width: 240, height: 180 }
/** Hashes this near count as the same. */
const MAX_BITS = 4

interface Sent {
  readonly animation?: {
    readonly durationMs: number
    readonly frames: readonly { readonly atMs: number; readonly signals: readonly { readonly hash: string }[] }[]
  }
}

t.test('an animation is sent with the moments that the service would register', { skip: withoutBrowser }, async (t) => {
  const frames = await Promise.all(
    [100, 30, 120, 40, 90, 500, 200, 100, 1100].map(async (delayMs, k) => {
      const data = await fromPixels(scenePixels(1 + k, SIZE))
        .ensureAlpha()
        .raw()
        .toBuffer()
      return { picture: { data, ...SIZE }, delayMs }
    }),
  )
  const made = { gif: gifOf, png: apngOf, webp: webpOf }
  const files = await Promise.all(
    Object.entries(made).map(async ([format, make]) => ({
      name: `moving.${format}`,
      mimeType: `image/${format}`,
      buffer: await make(SIZE, frames),
    })),
  )
  const site = await usualSite()
  const { page, faults } = await site.visit('/')
  const sent: Sent[] = []
  page.on('request', (request) => {
    if (request.url().endsWith('/hashes')) sent.push(...request.postDataJSON().images)
  })
  await toChoosing(page)
  await choose(page, files)
  await allRead(page)
  await protectAll(page)
  t.same(faults, [])
  t.equal(sent.length, files.length)
  for (const [k, { name, buffer }] of files.entries()) {
    const { animation } = await hashImage(buffer, 'register')
    const own = sent[k]?.animation
    t.equal(own?.durationMs, animation?.durationMs, name)
    t.same(
      own?.frames.map(({ atMs }) => atMs),
      animation?.frames.map(({ atMs }) => atMs),
      name,
    )
    for (const [i, { atMs, signals }] of (animation?.frames ?? []).entries()) {
      const ours = parseHash(own?.frames[i]?.signals[0]?.hash ?? '')
      const theirs = signals[0]?.hashes[0]
      const bits = ours === undefined || theirs === undefined ? Number.NaN : distance(ours, theirs)
      t.ok(bits <= MAX_BITS, `${name} at ${atMs} ms: ${bits} bits`)
    }
  }
})
