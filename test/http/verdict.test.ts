// POST /v1/verdict: any file in, and the status of the answer is the decision.

import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import sharp from 'sharp'
import t, { type Test } from 'tap'
import { z } from 'zod'
import type { Tier } from '../../packages/core/src/matching/signal.js'
import type { Match } from '../../src/services/matching/match.js'
import { verdictOn } from '../../src/services/matching/upload-verdict.js'
import { imagePart, multipart } from '../helpers/multipart.js'
import { type Picture, scene } from '../helpers/pictures.js'
import { keyFor, openCase, randomHashText, startService } from '../helpers/service.js'
import { listen } from '../helpers/sockets.js'
import { ask, feedback, platform, vouchedCase } from '../helpers/trust.js'
import { makeClip } from '../helpers/videos.js'

const Verdict = z.strictObject({
  verdict: z.enum(['pass', 'hold', 'block']),
  why: z.string(),
  grade: z.string().optional(),
  tier: z.string().optional(),
  matchId: z.string().optional(),
  problem: z.looseObject({ code: z.string() }).optional(),
})

/** `fetch` takes all three. */
type Body = Buffer | string | Readable

const LIMIT_BYTES = 1 << 20

async function world(t: Test) {
  const service = await startService(t, { workers: true, uploadLimits: { maxImageBytes: LIMIT_BYTES } })
  const origin = `http://127.0.0.1:${await listen(service.app)}`
  const { headers } = await keyFor(service, 'a forum', ['match'])
  const send = (body: Body, more: Record<string, string> = {}, path = '/v1/verdict') =>
    fetch(`${origin}${path}`, {
      method: 'POST',
      body: body as BodyInit,
      headers: { ...headers, ...more },
      duplex: 'half',
    } as RequestInit)
  const given = async (body: Body, more?: Record<string, string>, path?: string) => {
    const answer = await send(body, more, path)
    const text = await answer.text()
    const { verdict, why, grade, tier, problem } = Verdict.parse(JSON.parse(text))
    return [answer.status, verdict, why, grade, tier, problem?.code].filter((part) => part !== undefined).join(' ')
  }
  const register = async (her: { url: string; headers: Record<string, string> }, picture: Picture) => {
    const { payload, headers: type } = multipart([imagePart(picture)])
    const answer = await service.app.inject({
      ...{ method: 'POST', url: `${her.url}/images`, payload, headers: { ...her.headers, ...type } },
    })
    t.equal(answer.statusCode, 201, answer.body)
  }
  return { service, origin, headers, send, given, register }
}

t.test('uploads of every kind, with a worker', async (t) => {
  const { service, origin, headers, send, given, register } = await world(t)
  const [vouched, own, unknown] = await Promise.all([scene(2101), scene(2102), scene(2103)])
  await register(await vouchedCase(service, { attest: true }), vouched)
  await register(await openCase(service.app), own)
  const copy = await sharp(vouched.bytes).resize(400).jpeg({ quality: 60 }).toBuffer()
  const BLOCK = '451 block match exact ngo-attested'
  const HOLD = '202 hold match exact self-reported'

  await t.test('a vouched picture and its copies are blocked, a self-reported one is held, others pass', async (t) => {
    t.equal(await given(vouched.bytes), BLOCK)
    t.match(await given(copy), /^451 block match (exact|strong) ngo-attested$/)
    t.equal(await given(own.bytes), HOLD)
    t.equal(await given(unknown.bytes), '200 pass no-match')
  })

  await t.test('the same with every content type, without one, in any part of a form, and without a length', async (t) => {
    for (const type of ['image/jpeg', 'application/json', 'text/plain', 'application/x-www-form-urlencoded', 'nonsense'])
      t.equal(await given(vouched.bytes, { 'content-type': type }), BLOCK, type)
    const form = multipart([{ name: 'note', bytes: 'hello' }, imagePart(vouched, 'files[]')])
    t.equal(await given(form.payload, form.headers), BLOCK)
    t.equal(await given(Readable.from([vouched.bytes.subarray(0, 3), vouched.bytes.subarray(3)])), BLOCK)
  })

  await t.test('the key may be in the path, or the password of Basic', async (t) => {
    const key = headers['authorization']?.replace('Bearer ', '') ?? ''
    t.equal(await given(vouched.bytes, { authorization: '' }, `/v1/verdict/${key}`), BLOCK)
    t.equal(await given(vouched.bytes, { authorization: `Basic ${btoa(`gate:${key}`)}` }), BLOCK)
    for (const path of ['/v1/verdict', '/v1/verdict/tbr_live_none'])
      t.equal((await send(vouched.bytes, { authorization: '' }, path)).status, 401)
  })

  await t.test('what is no picture, or too plain, passes; what cannot be looked at is held with the reason', async (t) => {
    const flat = await sharp({ create: { width: 300, height: 200, channels: 3, background: '#789' } })
      .png()
      .toBuffer()
    t.equal(await given(''), '200 pass no-media')
    t.equal(await given('%PDF-1.7 and so on'), '200 pass no-media')
    t.equal(await given(randomBytes(3 * LIMIT_BYTES).fill(0x50, 0, 8)), '200 pass no-media', 'longer than a picture may be')
    t.equal(await given(flat), '200 pass too-plain')
    t.equal(await given(vouched.bytes.subarray(0, 40)), '202 hold unreadable image-undecodable')
    const endless = Buffer.concat([vouched.bytes.subarray(0, 20), Buffer.alloc(2 * LIMIT_BYTES)])
    t.equal(await given(endless), '202 hold unreadable image-too-large')
    t.equal(await given(Buffer.concat([vouched.bytes, randomBytes(4 * LIMIT_BYTES)])), BLOCK, 'padded')
  })

  await t.test('problems of the request and of the service are no verdict', async (t) => {
    const two = multipart([imagePart(vouched), imagePart(own)])
    const none = multipart([{ name: 'note', bytes: 'hello' }])
    const minor = multipart([{ name: 'age', bytes: '15' }, imagePart(vouched)])
    const problem = async (body: Body, more: Record<string, string>) =>
      z.object({ code: z.string() }).parse(await (await send(body, more)).json()).code
    t.equal(await problem(two.payload, two.headers), 'too-many-images')
    t.equal(await problem(none.payload, none.headers), 'image-missing')
    t.equal(await problem(minor.payload, minor.headers), 'minor-declared')
    t.equal(await problem(two.payload.subarray(0, 400), two.headers), 'upload-incomplete')
    t.equal(await problem(vouched.bytes, { 'content-encoding': 'gzip' }), 'media-unsupported')
    t.equal(await given(vouched.bytes), BLOCK, 'afterwards as before')
  })

  await t.test('a video is decided like a picture, in a form and alone, with and without a length', async (t) => {
    const clip = makeClip()
    if (clip === undefined) return void t.pass('without ffmpeg')
    const form = () => multipart([{ name: 'video', fileName: 'a.mp4', bytes: clip }])
    const { payload, headers: type } = form() // the service overwrites it
    const her = await vouchedCase(service, { attest: true })
    const added = await service.app.inject({
      ...{ method: 'POST', url: `${her.url}/videos`, payload },
      headers: { ...her.headers, ...type, 'content-length': String(payload.length) },
    })
    t.equal(added.statusCode, 201, added.body)
    for (const body of [clip, Readable.from([clip.subarray(0, 5000), clip.subarray(5000)])])
      t.match(await given(body), /^451 block match (exact|strong) ngo-attested$/)
    t.match(await given(form().payload, type), /^451 block/)
    t.equal(await given(Buffer.concat([clip.subarray(0, 64), Buffer.alloc(5000)])), '202 hold unreadable video-undecodable')
  })

  await t.test('a disputed picture is not stopped', async (t) => {
    const answer = await send(vouched.bytes)
    const { matchId } = Verdict.parse(await answer.json())
    const forum = await keyFor(service, 'another forum', ['match', 'feedback'])
    const theirs = await fetch(`${origin}/v1/verdict`, {
      method: 'POST',
      body: new Uint8Array(vouched.bytes),
      headers: forum.headers,
    })
    const { matchId: forThem } = Verdict.parse(await theirs.json())
    t.not(forThem, matchId, 'each organisation has its own ids')
    const said = { verdict: 'disputed', reason: 'harmless-content' }
    const told = await ask(service, 'POST', `/v1/matches/${forThem}/feedback`, forum.headers, said)
    t.equal(told.statusCode, 200, told.body)
    t.match(await given(vouched.bytes), /^200 pass too-uncertain/)
  })
})

t.test(
  'the hash of an innocent file, sent with hashes of a picture that platforms confirm, does not block the file',
  async (t) => {
    const { service, given } = await world(t)
    const innocent = await scene(2110)
    const [hash, sha256] = [randomHashText(), createHash('sha256').update(innocent.bytes).digest('hex')]
    const liar = await openCase(service.app)
    const signals = [
      { type: 'pdq', hash, quality: 100 },
      { type: 'sha256', hash: sha256, quality: 100 },
    ]
    const sent = await ask(service, 'POST', `${liar.url}/hashes`, liar.headers, { images: [{ signals }] })
    t.equal(sent.statusCode, 201, sent.body)
    t.equal(await given(innocent.bytes), '202 hold match exact self-reported')
    for (const name of ['one', 'two']) {
      const told = await feedback(service, await platform(service, name), hash, { verdict: 'blocked' })
      t.equal(told.statusCode, 200, told.body)
    }
    t.equal(await given(innocent.bytes), '202 hold match exact platform-confirmed')
  },
)

t.test('the policy for every grade, tier and dispute', async (t) => {
  const match = (grade: Match['grade'], tier: Tier, disputed = false) => ({ grade, tier, disputed }) as Match
  const tiers = ['self-reported', 'ngo-attested', 'platform-confirmed', 'verified'] as const
  for (const lowest of tiers)
    for (const tier of tiers)
      for (const grade of ['exact', 'strong', 'near', 'review'] as const) {
        const isHigh = tiers.indexOf(tier) >= tiers.indexOf(lowest)
        const expected = grade === 'review' ? 'pass' : grade !== 'near' && isHigh ? 'block' : 'hold'
        t.equal(verdictOn([match(grade, tier)], lowest).verdict, expected, `${grade} ${tier} from ${lowest}`)
        t.equal(verdictOn([match(grade, tier, true)], lowest).verdict, 'pass', 'disputed')
      }
  const [weak, sure] = [match('near', 'verified'), match('strong', 'verified')]
  t.equal(verdictOn([match('exact', 'verified', true), weak, sure], 'verified').match, sure, 'a surer match decides')
  const unvouched = { ...sure, isUnvouched: true } as const
  t.equal(verdictOn([unvouched], 'ngo-attested').verdict, 'hold', 'nobody vouches for its hashes')
  t.equal(verdictOn([unvouched], 'self-reported').verdict, 'block', 'the operator chose to block all')
  t.same(verdictOn([], 'self-reported'), { verdict: 'pass' })
})
