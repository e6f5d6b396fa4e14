// A record that is damaged in the store keeps nobody from the others: every page that many records share leaves it out.

import t from 'tap'
import { redisOf } from '../helpers/requests.js'
import { keyFor, randomHashText, startService } from '../helpers/service.js'
import { ask, caseWithPicture, matchesOf, operator, platform } from '../helpers/trust.js'

const clock = { nowMs: Date.now() }
const service = await startService(t, { now: () => clock.nowMs, feedDelay: { minMs: 0, maxMs: 0 } })
const redis = await redisOf(t, service)
const ngo = await keyFor(service, 'ngo', ['signals:write', 'feed', 'webhooks'], 'ngo')
const get = async (url: string, headers = ngo.headers) => {
  const answer = await ask(service, 'GET', url, headers)
  t.equal(answer.statusCode, 200, url)
  return answer
}

async function damage(key: string, field: string | Buffer): Promise<void> {
  const record = await redis.hgetBuffer(key, field)
  if (record === null) throw new Error('there is no such record')
  record[record.length - 1] = ~(record.at(-1) ?? 0) & 0xff
  await redis.hset(key, field, record)
}
async function damageImage(id: string): Promise<void> {
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex')
  await damage(`{tabir}:images:${bytes.readUInt16BE(14) % 32_768}`, bytes)
}

t.test('the feed, StopNCII’s pages and exports of a bank', async (t) => {
  await ask(service, 'POST', '/v1/banks', ngo.headers, { name: 'mine' })
  const [damaged, sound] = [randomHashText(), randomHashText()]
  const signals = [damaged, sound].map((hash) => ({ type: 'pdq', hash }))
  const made = await ask(service, 'POST', '/v1/banks/mine/signals', ngo.headers, { signals })
  await damageImage(made.json<{ signals: { signalId: string }[] }>().signals[0]?.signalId ?? '')
  for (const url of ['/v1/feed', '/stopncii/v1/FetchHashes']) {
    const { body } = await get(url)
    t.ok(body.includes(sound) && !body.includes(damaged), url)
  }
  const file = await ask(service, 'POST', '/v1/banks/mine/exports', ngo.headers, { format: 'hex', plain: true })
  t.equal(file.body, `${sound}\n`)
  t.equal(service.log.filter((line) => /leaves out|does not open/.test(line)).length, 3, 'the operator is told each time')
})

t.test('overdue deadlines', async (t) => {
  const { headers } = await operator(service)
  const one = await platform(service, 'one')
  const hers = [await caseWithPicture(service), await caseWithPicture(service)]
  for (const her of hers) {
    const notice = { laws: ['my-onsa'], statements: ['goodFaith', 'accurate'], actingAs: 'self' }
    t.equal((await ask(service, 'PUT', `${her.url}/notice`, her.headers, notice)).statusCode, 200)
    await matchesOf(service, one.headers, her.hash)
  }
  await service.services.settled()
  clock.nowMs += 3_600_000
  await damageImage(hers[0]?.imageId ?? '')
  const { deadlines } = (await get('/v1/deadlines/overdue', headers)).json<{ deadlines: { signalId: string }[] }>()
  t.same(new Set(deadlines.map(({ signalId }) => signalId)), new Set(hers.map(({ imageId }) => imageId)))
})

t.test('contexts and webhooks of an organisation', async (t) => {
  const one = await platform(service, 'asking')
  const { hash } = await caseWithPicture(service)
  for (const context of ['a'.repeat(22), 'b'.repeat(22)])
    await ask(service, 'POST', '/v1/match', one.headers, { queries: [{ context, signals: [{ type: 'pdq', hash }] }] })
  await service.services.settled()
  const [names = ''] = await redis.keys('{tabir}:context-names:*')
  await damage(names, (await redis.hkeysBuffer(names))[0] ?? '')
  const { contexts } = (await get('/v1/insights/contexts', one.headers)).json<{ contexts: unknown[] }>()
  t.equal(contexts.length, 1)

  for (const path of ['a', 'b'])
    await ask(service, 'POST', '/v1/webhooks', ngo.headers, {
      url: `https://hooks.example/${path}`,
      events: ['match.found'],
    })
  await damage('{tabir}:webhooks', (await redis.hkeysBuffer('{tabir}:webhooks'))[0] ?? '')
  const { webhooks } = (await get('/v1/webhooks')).json<{ webhooks: unknown[] }>()
  t.equal(webhooks.length, 1)
})
