// A picture of a case that was judged harmless is erased with its case, blocked by a digest for a time, and unblocked on appeal.

import t from 'tap'
import { refused } from '../helpers/refusal.js'
import { redisOf } from '../helpers/requests.js'
import { openCase, randomHashText, startService, until, withBitsFlipped } from '../helpers/service.js'
import { ask, caseWithPicture, feedback, matchesOf, operator, platform } from '../helpers/trust.js'

const DAY_MS = 86_400_000
let nowMs = Date.now() // Redis expires keys by its own clock, so this one must not be behind it
const service = await startService(t, { now: () => nowMs })
const redis = await redisOf(t, service)
const one = await platform(service, 'one')
const boss = await operator(service)

const signalsOf = (hash: string) => [{ type: 'pdq', hash, quality: 100 }]

/** Tries to register a picture in a case of its own. */
async function register(hash: string) {
  const her = await openCase(service.app)
  const answer = await ask(service, 'POST', `${her.url}/hashes`, her.headers, { images: [{ signals: signalsOf(hash) }] })
  return {
    ...her,
    answer,
    appeal: () => ask(service, 'POST', `${her.url}/appeals`, her.headers, { signals: signalsOf(hash) }),
  }
}

async function judgedHarmless() {
  const her = await caseWithPicture(service)
  await feedback(service, one, her.hash, { verdict: 'disputed', reason: 'harmless-content' })
  const url = `/v1/signals/${her.imageId}/dispute/decision`
  const decided = await ask(service, 'POST', url, boss.headers, { outcome: 'upheld' })
  if (decided.statusCode !== 200) throw new Error(decided.body)
  return her
}

async function withdrawn() {
  const her = await judgedHarmless()
  const receipt = await ask(service, 'DELETE', her.url, her.headers)
  return { ...her, receipt }
}

async function imageRecords(): Promise<number> {
  const shards = await redis.keys('{tabir}:images:*')
  const counts = await Promise.all(shards.map((shard) => redis.hlen(shard)))
  return counts.reduce((sum, count) => sum + count, 0)
}

const appeals = async () =>
  (await ask(service, 'GET', '/v1/appeals', boss.headers)).json<{
    appeals: { signalId: string | null; blockId: string | null }[]
  }>().appeals
const blocks = async () =>
  (await ask(service, 'GET', '/v1/resubmission-blocks', boss.headers)).json<{
    blocks: { blockId: string; until: string }[]
  }>().blocks
const decide = (id: string, outcome: 'granted' | 'denied') =>
  ask(service, 'POST', `/v1/appeals/${id}/decision`, boss.headers, { outcome })

/** The last entry of the audit log with this act. It is written a moment after the act. */
async function audited(act: string) {
  const last = async () => {
    const answer = await ask(service, 'GET', '/v1/audit?limit=1000', boss.headers)
    return answer.json<{ entries: { act: string }[] }>().entries.find((entry) => entry.act === act)
  }
  await until(async () => (await last()) !== undefined)
  return await last()
}

t.test('withdrawing a harmless picture erases its hashes, and its receipt names the digest kept for 180 days', async (t) => {
  const before = await imageRecords()
  const { hash, receipt, headers, url } = await withdrawn()
  t.equal(await imageRecords(), before, 'no record of it is left')
  const until = new Date(nowMs + 180 * DAY_MS).toISOString()
  t.match(receipt.json(), { images: 1, kept: { blockedImages: 1, until } })
  t.same((await ask(service, 'GET', `${url}/receipt`, headers)).json(), receipt.json(), 'the same each time')

  const [block, ...more] = await blocks()
  t.same([block?.until, more], [until, []])
  const members = await redis.zrangeBuffer('{tabir}:resubmission-blocks', '0', '-1')
  t.same(
    members.map(({ length }) => length),
    [16],
  )
  t.notOk(members.some((member) => hash.includes(member.toString('hex'))))
  const { answer } = await register(hash)
  refused(t, answer, 'known-harmless')
  t.match(answer.json(), { detail: /180 days.*appeal/s })
  t.equal((await register(withBitsFlipped(hash, 1))).answer.statusCode, 201, 'the digest does not block a changed copy')
  t.equal((await matchesOf(service, one.headers, hash)).length, 1)

  nowMs += 180 * DAY_MS
  t.equal((await register(hash)).answer.statusCode, 201, 'it may be registered 180 days later')
  t.same(await blocks(), [])
})

t.test('the receipt says that nothing is kept when no picture was judged harmless', async (t) => {
  const her = await caseWithPicture(service)
  t.equal((await ask(service, 'DELETE', her.url, her.headers)).json<{ kept: unknown }>().kept, null)
})

t.test('one appeal per picture is open, the operator sees it, and granting it lifts the block', async (t) => {
  const { hash } = await withdrawn()
  const [her, another] = [await register(hash), await register(hash)]
  for (const each of [her, her, another]) t.same((await each.appeal()).json(), { state: 'open' })
  const [appeal, ...more] = await appeals()
  t.same(more, [], 'one appeal, however many were made')
  t.match(appeal, { signalId: null, blockId: /^[0-9a-f]{32}$/, madeAt: String })
  const { events } = (await ask(service, 'GET', '/v1/events', boss.headers)).json<{ events: { kind: string }[] }>()
  t.match(
    events.filter(({ kind }) => kind === 'appeal.made'),
    [{ about: { blockId: appeal?.blockId } }],
  )

  refused(t, await ask(service, 'GET', '/v1/appeals', one.headers), 'scope-missing')
  t.equal((await decide(appeal?.blockId ?? '', 'granted')).statusCode, 204)
  t.same([await appeals(), await blocks()], [[], []])
  t.equal(await redis.exists('{tabir}:resubmission-blocks'), 0, 'nothing is left of it')
  t.match(await audited('appeal.decided'), { by: /^key:/, about: { appeal: appeal?.blockId, outcome: 'granted' } })
  refused(t, await her.appeal(), 'appeal-unneeded')
  t.equal((await register(hash)).answer.statusCode, 201)
  refused(t, await decide(appeal?.blockId ?? '', 'granted'), 'appeal-unknown')
})

t.test('a denied appeal stays denied and answers so; an operator can still lift the block', async (t) => {
  const { hash } = await withdrawn()
  const her = await register(hash)
  await her.appeal()
  const [appeal] = await appeals()
  t.equal((await decide(appeal?.blockId ?? '', 'denied')).statusCode, 204)
  t.same((await her.appeal()).json(), { state: 'denied' })
  t.same(await appeals(), [])
  const lift = () => ask(service, 'DELETE', `/v1/resubmission-blocks/${appeal?.blockId}`, boss.headers)
  refused(t, await ask(service, 'DELETE', `/v1/resubmission-blocks/${appeal?.blockId}`, one.headers), 'scope-missing')
  t.equal((await lift()).statusCode, 204)
  t.match(await audited('block.lifted'), { by: /^key:/, about: { block: appeal?.blockId } })
  refused(t, await lift(), 'block-unknown')
  t.equal((await register(hash)).answer.statusCode, 201, 'an operator lifts a block without an appeal')
  t.equal(await redis.exists('{tabir}:denied-appeals'), 0)
})

t.test('while a harmless picture is kept, its copies are blocked; a granted appeal reverses the decision', async (t) => {
  const it = await judgedHarmless()
  for (const hash of [it.hash, withBitsFlipped(it.hash, 1)]) {
    const her = await register(hash)
    refused(t, her.answer, 'known-harmless')
    t.same((await her.appeal()).json(), { state: 'open' })
  }
  t.match(await appeals(), [{ signalId: it.imageId, blockId: null }])
  t.equal((await decide(it.imageId, 'granted')).statusCode, 204)
  t.match(await matchesOf(service, one.headers, it.hash), [{ disputed: false }], 'the judged picture matches again')
  t.same([await appeals(), await blocks()], [[], []])
  t.equal((await register(it.hash)).answer.statusCode, 201)
})

t.test('an appeal ends when its picture is withdrawn or its decision is reversed', async (t) => {
  const it = await judgedHarmless()
  await (await register(it.hash)).appeal()
  t.equal((await appeals()).length, 1)
  await ask(service, 'DELETE', it.url, it.headers)
  t.same(await appeals(), [])
  const back = await judgedHarmless()
  await (await register(back.hash)).appeal()
  await ask(service, 'DELETE', `/v1/signals/${back.imageId}/dispute/decision`, boss.headers)
  t.same(await appeals(), [], 'also when the decision is reversed without the appeal')
})

t.test('a granted appeal removes a picture that an operator put on the allowlist', async (t) => {
  const hash = randomHashText()
  await ask(service, 'POST', '/v1/banks/harmless/signals', boss.headers, { signals: signalsOf(hash) })
  const her = await register(hash)
  refused(t, her.answer, 'known-harmless')
  await her.appeal()
  const [appeal] = await appeals()
  t.equal((await decide(appeal?.signalId ?? '', 'granted')).statusCode, 204)
  t.equal((await register(hash)).answer.statusCode, 201)
  t.match(await audited('signal.removed'), { about: { bank: 'harmless', signalId: appeal?.signalId } })
})

t.test('a harmless judgement blocks copies on another process, until the picture is withdrawn', async (t) => {
  const it = await judgedHarmless()
  const later = await startService(t, { redis: service.redis, now: () => nowMs })
  const her = await openCase(later.app)
  const images = [{ signals: signalsOf(withBitsFlipped(it.hash, 2)) }]
  const add = () => ask(later, 'POST', `${her.url}/hashes`, her.headers, { images })
  refused(t, await add(), 'known-harmless')
  await ask(later, 'DELETE', it.url, it.headers)
  t.equal((await add()).statusCode, 201)
})

t.test('an ended case cannot appeal', async (t) => {
  const { hash } = await withdrawn()
  const her = await register(hash)
  await ask(service, 'DELETE', her.url, her.headers)
  refused(t, await her.appeal(), 'case-withdrawn')
})
