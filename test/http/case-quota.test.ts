// A program that opens a case can register few pictures, however many it sends.

import t from 'tap'
import { codeOf, keyFor, openCase, randomHashText, startService, until } from '../helpers/service.js'
import { operator, vouchedCase } from '../helpers/trust.js'

const DAY_MS = 86_400_000
const A_DAY = 5

const picture = (hash = randomHashText()) => ({ signals: [{ type: 'pdq', hash, quality: 100 }] })

t.test('a new case takes a limited number of pictures until an NGO attests one of them', async (t) => {
  let nowMs = Date.now()
  const service = await startService(t, { trustLimits: { maxImagesPerNewCase: A_DAY }, now: () => nowMs })
  const { app } = service
  const { url, headers } = await openCase(app)
  const known = randomHashText()
  const send = async (count: number, of = picture) => {
    const images = Array.from({ length: count }, () => of())
    const answer = await app.inject({ method: 'POST', url: `${url}/hashes`, headers, payload: { images } })
    return codeOf(answer) ?? answer.statusCode
  }
  t.equal(await send(1000), 'case-full')
  t.equal(await send(1, () => picture(known)), 201)
  t.equal(await send(A_DAY - 1), 201)
  t.equal(await send(1), 'case-full')
  t.equal(await send(1, () => picture(known)), 201, 'a picture that is registered already')
  nowMs += DAY_MS / 2
  t.equal(await send(1), 'case-full')
  const payloadOfOne = { images: [picture()] }
  const refusal = await app.inject({ method: 'POST', url: `${url}/hashes`, headers, payload: payloadOfOne })
  const leftS = Number(refusal.headers['retry-after'])
  t.ok(leftS > 0 && leftS <= DAY_MS / 2000, `more fit in ${leftS} s`)

  const ngo = await keyFor(service, 'ngo', ['match', 'feedback'], 'ngo')
  const payload = { queries: [picture(known)] }
  const answer = await app.inject({ method: 'POST', url: '/v1/match', headers: ngo.headers, payload })
  const { matchId } = answer.json<{ results: { matches: { matchId: string }[] }[] }>().results[0]?.matches[0] ?? {}
  const attested = await app.inject({ method: 'POST', url: `/v1/matches/${matchId}/attestation`, headers: ngo.headers })
  t.equal(attested.statusCode, 200)
  t.equal(await send(20), 201)

  const second = await openCase(app)
  const add = async (count: number) => {
    const images = Array.from({ length: count }, () => picture())
    const to = { method: 'POST', url: `${second.url}/hashes`, headers: second.headers } as const
    return (await app.inject({ ...to, payload: { images } })).statusCode
  }
  t.equal(await add(A_DAY), 201)
  t.equal(await add(1), 409)
})

t.test(
  'cases that nobody vouches for share the room of a day for hashes, and of its rest only small ones get some',
  async (t) => {
    let nowMs = Date.parse('2026-03-01T18:00:00Z')
    const service = await startService(t, { trustLimits: { maxUnattestedHashesPerDay: 10_000 }, now: () => nowMs })
    const { app } = service
    const whole = () => ({ type: 'pdq', hash: randomHashText(), quality: 100 })
    const picture = (wholes: number) => ({ signals: Array.from({ length: wholes }, whole) })
    const video = (frames: number) => ({
      durationMs: frames * 100,
      frames: Array.from({ length: frames }, (_, i) => ({ atMs: 100 * i, signals: [whole()] })),
    })
    type Case = Pick<Awaited<ReturnType<typeof openCase>>, 'url' | 'headers'>
    const send = ({ url, headers }: Case, payload: object) =>
      app.inject({ method: 'POST', url: `${url}/hashes`, headers, payload })
    const sendFrames = async (to: Case, frames: number) => (await send(to, { videos: [video(frames)] })).statusCode
    const known = { images: [picture(16)] }
    const large = await openCase(app)
    t.equal((await send(large, known)).statusCode, 201)
    t.equal(await sendFrames(large, 1984), 201, 'the fifth that all share')
    const refusal = await send(large, { videos: [video(1)] })
    t.equal(codeOf(refusal), 'case-full')
    t.equal(Number(refusal.headers['retry-after']), 6 * 3600)
    const { headers } = await operator(service)
    const told = async () => {
      const { events } = (await app.inject({ url: '/v1/events', headers })).json<{ events: { kind: string }[] }>()
      return events.filter(({ kind }) => kind === 'hashes.flooded').length
    }
    await until(async () => (await told()) > 0)
    const small = await openCase(app)
    t.equal(await sendFrames(small, 2000), 201, 'as many as are few')
    t.equal(await sendFrames(small, 1), 409, 'and no more')
    t.equal(await sendFrames(await openCase(app), 2001), 409, 'not in one step either')
    t.equal(await told(), 1, 'the operator is told once')
    for (let others = 0; others < 3; others++) t.equal(await sendFrames(await openCase(app), 2000), 201)
    t.equal((await send(await openCase(app), { images: [picture(1)] })).statusCode, 409, 'the whole room is used')
    t.equal((await send(large, known)).statusCode, 201, 'a picture that is registered already')
    t.equal(await sendFrames(await vouchedCase(service), 3000), 201, 'somebody vouches for it')
    nowMs += DAY_MS / 4
    t.equal(await sendFrames(large, 1), 201, 'the next day')
  },
)

t.test('an image has at most 16 whole views of one type, one for each frame of its file', async (t) => {
  const { app } = await startService(t)
  const { url, headers } = await openCase(app)
  const register = (signals: object[]) =>
    app.inject({ method: 'POST', url: `${url}/hashes`, headers, payload: { images: [{ signals }] } })
  const whole = (type: string) => ({ type, hash: randomHashText(), quality: 100 })
  const frames = (count: number) => Array.from({ length: count }, () => whole('pdq'))
  t.equal(codeOf(await register(frames(17))), 'request-invalid')
  t.equal((await register(frames(16))).statusCode, 201)
  const area = { ...whole('pdq-area'), view: 'piece' }
  t.equal((await register([whole('pdq'), whole('blockhash'), area, area])).statusCode, 201)
})
