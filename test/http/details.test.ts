// A copy that hashes do not find is found by details, from the file and from features alone.

import sharp from 'sharp'
import t from 'tap'
import { detailedSize } from '../../packages/hash/src/details/detailed-size.js'
import { writeAsked } from '../../packages/hash/src/details/written.js'
import { detailsOf, hashImage } from '../../packages/hash/src/hash-image.js'
import { decode } from '../../workers/media/decode.js'
import { images } from '../helpers/multipart.js'
import { scene } from '../helpers/pictures.js'
import { refused } from '../helpers/refusal.js'
import { post } from '../helpers/requests.js'
import { keyFor, openCase, startService } from '../helpers/service.js'

interface Answer {
  readonly results: {
    readonly matches: { readonly view: string; readonly details?: { readonly region: Readonly<Record<string, number>> } }[]
  }[]
}

const hers = (await scene(83, { width: 900, height: 700 })).bytes
const strangers = (await scene(88, { width: 900, height: 700 })).bytes

/** A copy that hashes miss: rotated by 24 degrees inside a page full of other content. */
async function hidden(picture: Buffer, { mirrored = false } = {}): Promise<Buffer> {
  const inner = sharp(picture).resize(420)
  const rotated = await (mirrored ? inner.flop() : inner).rotate(24, { background: '#00000000' }).png().toBuffer()
  const page = (await scene(90, { width: 1000, height: 1000 })).bytes
  return sharp(page)
    .composite([{ input: rotated, left: 250, top: 220 }])
    .jpeg({ quality: 85 })
    .toBuffer()
}

t.test('a copy that hashes miss is found by details under extended protection, until the case is withdrawn', async (t) => {
  const service = await startService(t, { workers: true, extendedProtection: true })
  const { app } = service
  const platform = await keyFor(service, 'platform', ['match'])
  const trusted = await keyFor(service, 'trusted', ['match', 'match:distance'])
  const [plain, her] = [await openCase(app), await openCase(app, { extendedProtection: true })]
  const send = (url: string, files: readonly Buffer[], own: object) => {
    const { payload, headers } = images(files.map((bytes) => ({ name: 'a.jpg', contentType: 'image/jpeg', bytes })))
    return app.inject({ method: 'POST', url, payload, headers: { ...headers, ...own } })
  }
  const ask = async (files: readonly Buffer[], query = '', { headers } = platform) => {
    const answer = await send(`/v1/match/images${query}`, files, headers)
    t.equal(answer.statusCode, 200, answer.body)
    return answer.json<Answer>().results.map(({ matches }) => matches)
  }
  for (const { url, headers } of [plain, her]) t.equal((await send(`${url}/images`, [hers], headers)).statusCode, 201)
  const [rotated, mirrored, other] = await Promise.all([hidden(hers), hidden(hers, { mirrored: true }), hidden(strangers)])

  const near = {
    grade: 'near',
    view: 'details',
    signalType: 'detail',
    bank: 'cases',
    tier: 'self-reported',
    disputed: false,
  }
  const [first, second, third] = await ask([rotated, mirrored, other])
  t.match(first, [{ ...near, transform: 'original' }])
  t.match(second, [{ ...near, transform: 'flipY' }])
  t.equal(first?.length, 1, 'only for the case with extended protection')
  t.same(third, [])
  t.match(first?.[0]?.details, { inliersBand: /^(8-11|12-19|20-39|40\+)$/, inliers: undefined })
  const [told] = await ask([rotated], '', trusted)
  t.match(told, [{ distanceBits: Number, details: { inliers: Number } }])
  for (const found of [first, told]) {
    const { left = 0, top = 0, right = 0, bottom = 0 } = found?.[0]?.details?.region ?? {}
    t.ok(
      left > 0.21 && top > 0.18 && right < 0.81 && bottom < 0.73 && left < right && top < bottom,
      'the region lies where the copy is',
    )
    t.ok(
      [left, top, right, bottom].every((side) => Number.isInteger(side * 32)),
      'in 32nds',
    )
  }
  t.same(await ask([rotated], '?depth=hashes'), [[]])
  t.same(await ask([mirrored], '?transforms=false'), [[]])

  const [exact] = await ask([hers])
  t.equal(exact?.filter(({ view }) => view === 'whole').length, 2, 'images that hashes find are not searched by details')
  const [full] = await ask([hers], '?depth=full')
  t.same(full, exact, 'one match for each image')

  const pixels = await decode(rotated, detailedSize)
  const query = { ...(await hashImage(pixels)), details: await detailsOf(pixels) }
  const answer = await post(app, '/v1/match', { queries: [query] }, platform.headers)
  t.match(answer.json<Answer>().results[0]?.matches, [near], answer.body.slice(0, 200))
  const withoutDetails = { signals: query.signals }
  const silent = await post(app, '/v1/match', { queries: [withoutDetails, query], depth: 'hashes' }, platform.headers)
  t.same(
    silent.json<Answer>().results.map(({ matches }) => matches),
    [[], []],
  )

  const many = Buffer.alloc(10_000 * 70, 7).toString('base64')
  for (const [what, details] of Object.entries({
    many,
    beyond: `Ag//${query.details.slice(4)}`,
    short: query.details.slice(0, -4),
  })) {
    const refusal = await post(app, '/v1/match', { queries: [{ ...query, details }] }, platform.headers)
    refused(t, refusal, 'request-invalid', what)
  }

  await app.inject({ method: 'DELETE', url: her.url, headers: her.headers })
  t.same(await ask([rotated, mirrored]), [[], []])
})

t.test('a query with details is refused where extended protection is off', async (t) => {
  const service = await startService(t)
  const platform = await keyFor(service, 'platform', ['match'])
  const signals = [{ type: 'pdq', hash: '0'.repeat(64) }]
  const details = Buffer.from(writeAsked([])).toString('base64')
  refused(
    t,
    await post(service.app, '/v1/match', { queries: [{ signals, details }] }, platform.headers),
    'extended-protection-off',
  )
  const answer = await post(service.app, '/v1/match', { queries: [{ signals }], depth: 'full' }, platform.headers)
  t.equal(answer.statusCode, 200, 'depth full searches hashes only')
})
