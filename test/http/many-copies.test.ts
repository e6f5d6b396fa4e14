// Many near copies of one picture in one case do not fill an answer or displace images of others.

import { randomInt } from 'node:crypto'
import t from 'tap'
import { keyFor, openCase, randomHashText, startService, type TestService, withBitsFlipped } from '../helpers/service.js'

interface Answered {
  results: { matches: { bank: string; matchId: string }[]; truncated?: true }[]
}

/** More than a search evaluates one by one. */
const COPIES = 600
const QUERIES = 10
/** Matches of one case for one query. */
const MAX_PER_CASE = 5
const signals = (hash: string) => [{ type: 'pdq', hash, quality: 100 }]

/** Random bits flipped, few enough that all copies are near one another. */
function copyOf(hash: string, bits: number): string {
  const bytes = Buffer.from(hash, 'hex')
  for (let i = 0; i < bits; i++) {
    const bit = randomInt(256)
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  }
  return bytes.toString('hex')
}

async function flooded(service: TestService) {
  const { app } = service
  const hash = randomHashText()
  const ngo = await keyFor(service, 'ngo', ['signals:write'], 'ngo')
  await app.inject({ method: 'POST', url: '/v1/banks', headers: ngo.headers, payload: { name: 'theirs' } })
  const banked = { signals: [{ type: 'pdq', hash: withBitsFlipped(hash, 25) }] }
  await app.inject({ method: 'POST', url: '/v1/banks/theirs/signals', headers: ngo.headers, payload: banked })
  for (const copies of [COPIES, 1]) {
    const { url, headers } = await openCase(app)
    const images = Array.from({ length: copies }, () => ({ signals: signals(copyOf(hash, copies === 1 ? 20 : 6)) }))
    const { statusCode } = await app.inject({ method: 'POST', url: `${url}/hashes`, headers, payload: { images } })
    if (statusCode !== 201) throw new Error('a case takes hashes')
  }
  return hash
}

t.test('an answer has the five best matches of a case with many copies and all of others, and says truncated', async (t) => {
  const service = await startService(t)
  const { app } = service
  const hash = await flooded(service)
  const { headers } = await keyFor(service, 'platform', ['match'])

  const queries = Array.from({ length: QUERIES }, () => ({ signals: [{ type: 'pdq', hash: copyOf(hash, 1) }] }))
  for (const transforms of [true, false]) {
    const answer = await app.inject({ method: 'POST', url: '/v1/match', headers, payload: { queries, transforms } })
    t.equal(answer.statusCode, 200)
    t.ok(answer.body.length < QUERIES * 3000, `${answer.body.length} bytes`)
    for (const { matches, truncated } of answer.json<Answered>().results) {
      t.equal(truncated, true)
      t.same(
        matches.map(({ bank }) => bank),
        [...Array.from({ length: MAX_PER_CASE + 1 }, () => 'cases'), 'theirs'],
        'the five best of this case, and farther matches of another case and a bank',
      )
    }
  }

  const url = `/m/raw_lookup?signal=${hash}&signal_type=pdq&include_distance=true`
  const looked = await app.inject({ url, headers })
  t.equal(looked.json<{ matches: unknown[] }>().matches.length, MAX_PER_CASE + 2)
  t.equal(looked.headers['tabir-truncated'], 'true')

  const few = { queries: [{ signals: [{ type: 'pdq', hash: randomHashText() }] }] }
  const unlike = await app.inject({ method: 'POST', url: '/v1/match', headers, payload: few })
  t.same(unlike.json(), { results: [{ matches: [] }] })
})
