// A video is one image: judgements, counts, watches and withdrawals apply to all of its frames at once, in every process.

import t from 'tap'
import { readFeed } from '../helpers/feed.js'
import { post, redisOf } from '../helpers/requests.js'
import {
  keyFor,
  openCase,
  randomHashText,
  startService,
  type TestService,
  until,
  withBitsFlipped,
} from '../helpers/service.js'
import { ask, caseWithPicture, caseWithVideo, FRAME_MS, filmOf, matchesOf, operator } from '../helpers/trust.js'

const MODERATOR = ['match', 'feedback', 'webhooks'] as const

interface Shown {
  readonly matchId: string
  readonly tier: string
  readonly disputed: boolean
  readonly atMs?: number
  readonly segments?: readonly object[]
}

/** Queries each frame as a picture, and the video. */
async function asked({ app }: TestService, headers: Record<string, string>, hashes: readonly string[], context?: string) {
  const stills = hashes.map((hash) => ({ signals: [{ type: 'pdq', hash }] }))
  const video = { frames: filmOf(hashes).frames }
  const queries = [...stills, { video }].map((query) => ({ ...query, ...(context !== undefined && { context }) }))
  const answer = await post(app, '/v1/match', { queries, transforms: false }, headers)
  if (answer.statusCode !== 200) throw new Error(answer.body)
  return answer.json<{ results: { matches: Shown[] }[] }>().results.map(({ matches }) => matches)
}

t.test('a withdrawal removes all frames of a video at once, in every process', async (t) => {
  const one = await startService(t)
  const two = await startService(t, { redis: one.redis })
  const { key, headers } = await keyFor(one, 'platform', MODERATOR)
  await until(() => two.services.identify(key) !== undefined)
  const her = await caseWithVideo(one)
  await until(async () => (await matchesOf(two, headers, her.hashes[0] ?? '')).length > 0)
  t.same(
    (await asked(two, headers, her.hashes)).map(([match]) => match?.atMs ?? match?.segments?.length),
    [0, FRAME_MS, 2 * FRAME_MS, 1],
  )

  const seen = new Set<string>()
  const isAsking = { now: true }
  const asking = (async () => {
    while (isAsking.now) seen.add((await asked(two, headers, her.hashes)).map(({ length }) => length).join())
  })()
  t.match((await ask(one, 'DELETE', her.url, her.headers)).json(), { images: 1, hashes: 3 })
  t.same(await asked(one, headers, her.hashes), [[], [], [], []])
  await until(async () => (await asked(two, headers, her.hashes)).flat().length === 0)
  isAsking.now = false
  await asking
  for (const each of seen) t.ok(['1,1,1,1', '0,0,0,0'].includes(each), `either all frames match or none: ${each}`)
})

const MALAYSIA = { laws: ['my-onsa'], statements: ['goodFaith', 'withoutConsent', 'accurate'], actingAs: 'self' }

t.test('attestation and verification raise the tier of every frame, in matches and in the feed', async (t) => {
  const service = await startService(t)
  const one = await keyFor(service, 'one', ['match', 'feed'])
  const helper = await keyFor(service, 'helper', ['match', 'feedback', 'cases:write'], 'ngo')
  const boss = await operator(service)
  const her = await caseWithVideo(service)
  const notice = { ...MALAYSIA, contact: 'helper' }
  t.equal((await ask(service, 'PUT', `${her.url}/notice`, her.headers, notice)).statusCode, 200)
  const tiers = async () => [...new Set((await asked(service, one.headers, her.hashes)).flat().map(({ tier }) => tier))]
  const fed = async () => (await readFeed(service, one.headers)).flatMap((line) => (line.op === 'upsert' ? line.tier : []))
  t.same([await tiers(), await fed()], [['self-reported'], ['self-reported']])

  const waiting = (await ask(service, 'GET', '/v1/attestations/waiting', helper.headers)).json()
  t.match(waiting, { signals: [{ signalId: her.imageId, because: 'contact', tier: 'self-reported', durationS: 6 }] })
  const matchId = (await asked(service, helper.headers, her.hashes))[1]?.[0]?.matchId
  t.equal(matchId, waiting.signals[0].matchId, 'the match id of a frame is that of the video')
  t.match((await ask(service, 'POST', `/v1/matches/${matchId}/attestation`, helper.headers)).json(), {
    tier: 'ngo-attested',
  })
  t.same([await tiers(), await fed()], [['ngo-attested'], ['ngo-attested']])
  t.equal((await ask(service, 'POST', `/v1/signals/${her.imageId}/verification`, boss.headers)).statusCode, 200)
  t.same([await tiers(), await fed()], [['verified'], ['verified']])
})

t.test('deadlines, counts, disputes, webhooks and audit entries name a video once', async (t) => {
  let nowMs = Date.UTC(2026, 5, 1)
  const service = await startService(t, { now: () => nowMs })
  const one = await keyFor(service, 'one', MODERATOR)
  const boss = await operator(service)
  const her = await caseWithVideo(service)
  t.equal((await ask(service, 'PUT', `${her.url}/notice`, her.headers, MALAYSIA)).statusCode, 200)
  const query = { queries: [{ video: filmOf(her.hashes) }] }
  const found = (await post(service.app, '/v1/match', query, one.headers)).json()
  const { matchId } = found.results[0].matches[0]
  await service.services.settled()
  const days = (await ask(service, 'GET', '/v1/insights/days/own?days=1', one.headers)).json()
  t.match(days, { days: [{ videos: 1, pictures: 0, found: 1 }] })
  const match = (await ask(service, 'GET', `/v1/matches/${matchId}`, one.headers)).json()
  t.match([match.deadlines.length, match.durationS], [2, 6])
  nowMs += 12 * 3_600_000
  const overdue = (await ask(service, 'GET', '/v1/deadlines/overdue', boss.headers)).json()
  t.match(overdue.deadlines, [
    { signalId: her.imageId, platform: 'one', durationS: 6 },
    { signalId: her.imageId, platform: 'one', durationS: 6 },
  ])
  t.equal(overdue.deadlines.length, 2)

  const feedback = { verdict: 'disputed', reason: 'not-the-person-shown' }
  await ask(service, 'POST', `/v1/matches/${matchId}/feedback`, one.headers, feedback)
  const answer = { answer: 'shows-me-without-consent' }
  t.same((await ask(service, 'PUT', `${her.url}/images/${her.imageId}/answer`, her.headers, answer)).json(), answer)
  t.match((await ask(service, 'GET', '/v1/disputes', boss.headers)).json(), {
    signals: [{ signalId: her.imageId, ...answer }],
  })
  const outcome = { outcome: 'rejected' }
  await ask(service, 'POST', `/v1/signals/${her.imageId}/dispute/decision`, boss.headers, outcome)
  t.equal((await asked(service, one.headers, her.hashes)).flat().length, 4)
  const receipt = (await ask(service, 'DELETE', her.url, her.headers)).json()
  t.match(receipt, { state: 'withdrawn', images: 1, hashes: 3 })

  const redis = await redisOf(t, service)
  const entries = await redis.xrange('{tabir}:webhook-outbox', '-', '+')
  t.same(
    entries.map(([, fields]) => fields[fields.indexOf('kind') + 1] ?? '').filter((kind) => kind.startsWith('signal.')),
    ['signal.disputed', 'signal.withdrawn'],
  )
  const acts = async () =>
    (await ask(service, 'GET', '/v1/audit?limit=100', boss.headers))
      .json<{ entries: { act: string; about?: { signalId?: string } }[] }>()
      .entries.flatMap(({ act, about }) => (about?.signalId === her.imageId ? [act] : []))
  await until(async () => (await acts()).length >= 3)
  t.same((await acts()).sort(), ['dispute.answered', 'dispute.decided', 'signal.disputed'])
})

t.test('disputes and quarantine say which signals are videos, and how long they are', async (t) => {
  const service = await startService(t)
  const { headers } = await operator(service)
  const ids = [await caseWithVideo(service), await caseWithPicture(service)].map(({ imageId }) => imageId)
  for (const id of ids) {
    await ask(service, 'POST', `/v1/signals/${id}/dispute`, headers, { reason: 'other' })
    await ask(service, 'POST', `/v1/signals/${id}/quarantine`, headers)
  }
  for (const list of ['/v1/disputes', '/v1/quarantine']) {
    const { signals } = (await ask(service, 'GET', list, headers)).json<{ signals: object[] }>()
    t.match(signals, [{ signalId: ids[0], durationS: Math.ceil((3 * FRAME_MS) / 1000) }, { signalId: ids[1] }])
    t.notOk('durationS' in (signals[1] ?? {}), 'a picture has no duration')
  }
})

t.test('a video has one match id, verdict, dispute and count for all of its frames', async (t) => {
  const service = await startService(t)
  const one = await keyFor(service, 'one', MODERATOR)
  const boss = await operator(service)
  const [first = '', ...rest] = Array.from({ length: 3 }, randomHashText)
  const watch = { watches: [{ signals: [{ type: 'pdq', hash: withBitsFlipped(rest[1] ?? '', 8) }] }] }
  t.equal((await post(service.app, '/v1/watch', watch, one.headers)).statusCode, 201)
  const her = await caseWithVideo(service, [first, ...rest])

  const matches = await asked(service, one.headers, her.hashes, 'x'.repeat(22))
  const ids = new Set(matches.flat().map(({ matchId }) => matchId))
  t.equal(ids.size, 1, 'frames and video have the same match id')
  const [matchId] = ids
  await service.services.settled()
  const context = (await ask(service, 'GET', '/v1/insights/contexts', one.headers)).json()
  t.match(context, { contexts: [{ context: 'x'.repeat(22), images24h: 1, images30d: 1 }] })
  const feedback = (said: object) => ask(service, 'POST', `/v1/matches/${matchId}/feedback`, one.headers, said)
  t.equal((await feedback({ verdict: 'blocked' })).statusCode, 200)
  const kinds = async () =>
    (await ask(service, 'GET', `${her.url}/events`, her.headers))
      .json<{ events: { kind: string }[] }>()
      .events.map(({ kind }) => kind)
  await until(async () => (await kinds()).includes('blocked'))
  t.same(await kinds(), ['opened', 'registered', 'matched', 'blocked'])

  await feedback({ verdict: 'disputed', reason: 'harmless-content' })
  await until(async () => (await asked(service, one.headers, her.hashes)).flat().every(({ disputed }) => disputed))
  t.match((await ask(service, 'GET', `${her.url}/export`, her.headers)).json(), {
    images: [{ disputed: true, durationS: 6, hashes: { pdq: 3 } }],
  })
  const decided = await ask(service, 'POST', `/v1/signals/${her.imageId}/dispute/decision`, boss.headers, {
    outcome: 'upheld',
  })
  t.equal(decided.statusCode, 200, decided.body)
  await until(async () => (await asked(service, one.headers, her.hashes)).flat().length === 0)

  const again = await openCase(service.app)
  const register = (hashes: readonly string[]) =>
    post(service.app, `${again.url}/hashes`, { videos: [filmOf(hashes)] }, again.headers)
  t.match((await register(her.hashes)).json(), { code: 'known-harmless' }, 'its resubmission is blocked')
  const appeal = await ask(service, 'POST', `${again.url}/appeals`, again.headers, {
    signals: [{ type: 'pdq', hash: first, quality: 100 }],
  })
  t.ok(appeal.statusCode < 300, appeal.body)
  t.equal((await register([first, randomHashText()])).statusCode, 201, 'a video that shares one harmless frame is accepted')
})
