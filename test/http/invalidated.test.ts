// A signal that was judged false is refused after its removal too, until the operator reverses that. A withdrawal erases the judgement.

import t from 'tap'
import type { Signal } from '../../packages/core/src/matching/signal.js'
import { parseHash } from '../../packages/hash/src/hash256.js'
import { refused } from '../helpers/refusal.js'
import { redisOf } from '../helpers/requests.js'
import { openCase, randomHashText, startService, withBitsFlipped } from '../helpers/service.js'
import { ask, caseWithPicture, feedback, matchesOf, ngo, operator, platform } from '../helpers/trust.js'

const DAY_MS = 86_400_000
const BLOCK_KEYS = '{tabir}:organisation-blocks:*'

let nowMs = Date.now() // Redis expires keys by its own clock, so this one must not be behind it
const service = await startService(t, { now: () => nowMs })
const redis = await redisOf(t, service)
const one = await platform(service, 'one')
const boss = await operator(service)
const helper = await ngo(service, 'helper')
const other = await ngo(service, 'other')
const bank = (name: string, { headers }: typeof helper) => ask(service, 'POST', '/v1/banks', headers, { name })
for (const name of ['first', 'SECOND']) await bank(name, helper)
await bank('theirs', other)

const send = (name: string, { headers }: typeof helper, hash: string, ref?: string) =>
  ask(service, 'POST', `/v1/banks/${name}/signals`, headers, { signals: [{ type: 'pdq', hash, ...(ref && { ref }) }] })
const idIn = (response: Awaited<ReturnType<typeof send>>) =>
  response.json<{ signals: { signalId: string }[] }>().signals[0]?.signalId ?? ''
const decision = (signalId: string) => `/v1/signals/${signalId}/dispute/decision`

/** One signal of `first`, judged false for this reason. */
async function invalidatedSignal(reason: string): Promise<{ readonly hash: string; readonly signalId: string }> {
  const hash = randomHashText()
  const signalId = idIn(await send('first', helper, hash))
  await ask(service, 'POST', `/v1/signals/${signalId}/dispute`, boss.headers, { reason })
  const decided = await ask(service, 'POST', decision(signalId), boss.headers, { outcome: 'upheld' })
  if (decided.statusCode !== 200) throw new Error(decided.body)
  return { hash, signalId }
}

t.test('an invalidated signal is refused after its removal, on every route and in every bank of its owner', async (t) => {
  const { hash, signalId } = await invalidatedSignal('public-interest')
  await ask(service, 'DELETE', `/v1/banks/first/signals/${signalId}`, helper.headers)

  refused(t, await send('first', helper, hash), 'signal-invalidated')
  refused(t, await send('first', helper, hash, 'another reference'), 'signal-invalidated')
  refused(t, await send('SECOND', helper, hash), 'signal-invalidated', 'in another bank of the same organisation')
  const lines = [randomHashText(), hash, randomHashText()].map((each) => JSON.stringify({ type: 'pdq', hash: each }))
  const headers = { ...helper.headers, 'content-type': 'application/x-ndjson' }
  t.match((await ask(service, 'POST', '/v1/banks/SECOND/signals', headers, lines.join('\n'))).json(), {
    accepted: 2,
    refused: 1,
    signals: [{ line: 1 }, { line: 2, problem: { code: 'signal-invalidated' } }, { line: 3, state: 'registered' }],
  })
  const file = ['{}', ...lines, lines[1], '{}'].join('\n')
  t.match((await ask(service, 'POST', '/v1/banks/SECOND/imports', headers, file)).json(), {
    accepted: 2,
    rejected: 4,
    rejections: [
      { fromLine: 1, toLine: 1 },
      { fromLine: 3, toLine: 3, reason: 'signal-invalidated' },
      { fromLine: 5, toLine: 5, reason: 'signal-invalidated' },
      { fromLine: 6, toLine: 6 },
    ],
  })
  const byHma = await ask(service, 'POST', '/c/bank/SECOND/signal', helper.headers, { pdq: hash })
  t.match([byHma.statusCode, byHma.json()], [410, { message: /judged a false report/ }])
  t.same(await matchesOf(service, one.headers, hash), [])
})

t.test('an invalidated signal is refused for its organisation only', async (t) => {
  const { hash } = await invalidatedSignal('not-the-person-shown')

  t.equal((await caseWithPicture(service, hash)).hash, hash, 'a submitter can register it')
  t.equal((await matchesOf(service, one.headers, hash)).length, 1)
  t.equal((await send('theirs', other, hash)).statusCode, 201)
  t.equal((await send('first', helper, withBitsFlipped(hash, 1))).statusCode, 201, 'a hash that differs is accepted')
})

t.test('only a keyed digest of an invalidated signal is kept, for 180 days', async (t) => {
  const { hash, signalId } = await invalidatedSignal('other')
  await ask(service, 'DELETE', `/v1/banks/first/signals/${signalId}`, helper.headers)

  const [key = ''] = await redis.keys(BLOCK_KEYS)
  const members = await redis.zrangeBuffer(key, '0', '-1')
  t.ok(
    members.every((member) => member.length === 16),
    '128 bits of a keyed hash',
  )
  t.notOk(members.some((member) => hash.includes(member.toString('hex'))))
  t.equal(await redis.pexpiretime(key), nowMs + 180 * DAY_MS)
  nowMs += 179 * DAY_MS
  refused(t, await send('first', helper, hash), 'signal-invalidated')
  nowMs += DAY_MS
  t.equal((await send('first', helper, hash)).statusCode, 201, 'after 180 days it is accepted again')
})

t.test('reversing an upheld dispute restores the signal and removes its strike and allowlist entry', async (t) => {
  const { hash, signalId } = await invalidatedSignal('harmless-content')
  const strikesNow = async () =>
    (await ask(service, 'GET', '/v1/strikes', boss.headers)).json<{ accounts: { strikes: number }[] }>().accounts[0]?.strikes
  const before = (await strikesNow()) ?? 0
  refused(t, await ask(service, 'DELETE', decision(signalId), helper.headers), 'scope-missing')

  for (let i = 0; i < 2; i++) {
    const back = await ask(service, 'DELETE', decision(signalId), boss.headers)
    t.match(back.json(), { dispute: { state: 'rejected' }, circulation: 'matching' }, 'repeating it changes nothing')
  }
  t.match(await matchesOf(service, one.headers, hash), [{ disputed: false }], 'it matches, so its allowlist entry is gone')
  t.equal((await strikesNow()) ?? 0, before - 1)
  refused(
    t,
    await feedback(service, one, hash, { verdict: 'disputed', reason: 'harmless-content' }),
    'dispute-settled',
    'the dispute is settled',
  )
  t.equal((await send('SECOND', helper, hash)).statusCode, 201, 'it may be submitted')
  const { imageId } = await caseWithPicture(service)
  refused(t, await ask(service, 'DELETE', decision(imageId), boss.headers), 'signal-not-invalidated')
})

t.test('an organisation whose strikes were cleared can resubmit an invalidated signal', async (t) => {
  const { hash, signalId } = await invalidatedSignal('other')
  await ask(service, 'DELETE', `/v1/banks/first/signals/${signalId}`, helper.headers)
  const accounts = (await ask(service, 'GET', '/v1/strikes', boss.headers)).json<{ accounts: { account: string }[] }>()
  await ask(service, 'DELETE', `/v1/strikes/${accounts.accounts[0]?.account}`, boss.headers)

  t.equal((await send('first', helper, hash)).statusCode, 201)
})

t.test('withdrawing a case erases the decisions about its pictures', async (t) => {
  const her = await caseWithPicture(service)
  await feedback(service, one, her.hash, { verdict: 'disputed', reason: 'public-interest' })
  await ask(service, 'POST', decision(her.imageId), boss.headers, { outcome: 'upheld' })
  t.same(await redis.keys(BLOCK_KEYS), [], 'no digest is kept for a case')
  t.equal((await redis.keys('{tabir}:strikes:case:*')).length, 1)
  t.equal((await ask(service, 'DELETE', her.url, her.headers)).statusCode, 200)
  t.same(await redis.keys('{tabir}:strikes:case:*'), [], 'nor is its strike')
  t.same(
    (await redis.zrange('{tabir}:accounts-with-strikes', '0', '-1')).filter((account) => account.startsWith('case:')),
    [],
  )

  const id = Buffer.from(her.imageId.replaceAll('-', ''), 'hex')
  for (const kind of ['trust', 'trust-statuses'])
    t.equal(await redis.call('HEXISTS', `{tabir}:${kind}:${id[15]}`, id), 0, kind)
  const again = await openCase(service.app)
  const images = [{ signals: [{ type: 'pdq', hash: her.hash, quality: 100 }] }]
  t.equal((await ask(service, 'POST', `${again.url}/hashes`, again.headers, { images })).statusCode, 201)
  const answer = await feedback(service, one, her.hash, { verdict: 'disputed', reason: 'public-interest' })
  t.equal(answer.statusCode, 200, 'it may be disputed again')
})

t.test('an organisation with too many strikes cannot submit signals, and can still remove them', async (t) => {
  const forgiven = async () => {
    const { accounts } = (await ask(service, 'GET', '/v1/strikes', boss.headers)).json<{ accounts: { account: string }[] }>()
    for (const { account } of accounts) await ask(service, 'DELETE', `/v1/strikes/${account}`, boss.headers)
  }
  await forgiven()
  const kept = idIn(await send('first', helper, randomHashText()))
  for (let strikes = 0; strikes < 5; strikes++) await invalidatedSignal('other')

  refused(t, await send('first', helper, randomHashText()), 'account-suspended')
  const headers = { ...helper.headers, 'content-type': 'application/x-ndjson' }
  const line = JSON.stringify({ type: 'pdq', hash: randomHashText() })
  refused(t, await ask(service, 'POST', '/v1/banks/SECOND/signals', headers, line), 'account-suspended')
  t.equal((await send('theirs', other, randomHashText())).statusCode, 201, 'other organisations are not affected')
  t.equal((await ask(service, 'DELETE', `/v1/banks/first/signals/${kept}`, helper.headers)).statusCode, 204)
  await forgiven()
  t.equal((await send('first', helper, randomHashText())).statusCode, 201)
})

t.test('an animation or video is refused if all of its frames were judged false, on each way into a bank', async (t) => {
  const { registration, banks } = service.services
  const caller = service.services.identify(helper.key)
  if (caller === undefined) throw new Error('a key is known once it is made')
  const into = await banks.writable(caller, 'SECOND')
  const pdq = (hex: string): Signal => {
    const hash = parseHash(hex)
    if (hash === undefined) throw new Error('it has 64 hex digits')
    return { type: 'pdq', view: 'whole', quality: 100, hash }
  }
  const [a, b] = [
    pdq((await invalidatedSignal('public-interest')).hash),
    pdq((await invalidatedSignal('public-interest')).hash),
  ]
  const other = () => pdq(randomHashText())
  const file = { ...other(), type: 'sha256' as const }
  const rest = { ref: undefined, category: undefined }
  const video = { video: { durationMs: 2000, framesAtMs: [0, 1000] } }
  const ofVideo = (...frames: Signal[]) => [...frames.map((signal, frame) => ({ ...signal, frame })), file]
  const given = [
    { signals: [a, other()], isRefused: false },
    { signals: [other(), a], isRefused: false },
    { signals: [a, b], isRefused: true },
    { signals: ofVideo(a, other()), ...video, isRefused: false },
    { signals: ofVideo(a, b), ...video, isRefused: true },
  ]
  for (const [i, { signals, isRefused, ...asVideo }] of given.entries()) {
    const [signal = a] = signals
    const { invalidatedAt } = await registration.changeBank(into, [
      { kind: 'put', signal: { signal, picture: signals, ...rest, ...asVideo } },
    ])
    t.equal(invalidatedAt.size === 1, isRefused, `change ${i}`)
    const alone = registration.pictureForBank(into, { signals, ...rest, ...asVideo })
    if (isRefused) await t.rejects(alone, { code: 'signal-invalidated' }, `picture ${i}`)
    else await t.resolves(alone, `picture ${i}`)
  }
})
