// A video is treated as an image is: by those who judge it, count it, watch for it and take it back, in every process, with all of its frames at once.

import t from 'tap'
import { post } from '../helpers/requests.js'
import {
  keyFor,
  openCase,
  randomHashText,
  startService,
  type TestService,
  until,
  withBitsFlipped,
} from '../helpers/service.js'
import { ask, caseWithVideo, FRAME_MS, filmOf, matchesOf, operator } from '../helpers/trust.js'

const MODERATOR = ['match', 'feedback', 'webhooks'] as const

interface Shown {
  readonly matchId: string
  readonly tier: string
  readonly disputed: boolean
  readonly atMs?: number
  readonly segments?: readonly object[]
}

/** Asks for each frame as a still, and for the video. */
async function asked({ app }: TestService, headers: Record<string, string>, hashes: readonly string[], context?: string) {
  const stills = hashes.map((hash) => ({ signals: [{ type: 'pdq', hash }] }))
  const video = { frames: filmOf(hashes).frames }
  const queries = [...stills, { video }].map((query) => ({ ...query, ...(context !== undefined && { context }) }))
  const answer = await post(app, '/v1/match', { queries, transforms: false }, headers)
  if (answer.statusCode !== 200) throw new Error(answer.body)
  return answer.json<{ results: { matches: Shown[] }[] }>().results.map(({ matches }) => matches)
}

t.test('all frames are withdrawn at once, in every process', async (t) => {
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
  for (const each of seen) t.ok(['1,1,1,1', '0,0,0,0'].includes(each), `never some of its frames: ${each}`)
})

t.test('it is judged, attested, counted and watched for as one', async (t) => {
  const service = await startService(t)
  const one = await keyFor(service, 'one', MODERATOR)
  const boss = await operator(service)
  const [first = '', ...rest] = Array.from({ length: 3 }, randomHashText)
  const watch = { watches: [{ signals: [{ type: 'pdq', hash: withBitsFlipped(rest[1] ?? '', 8) }] }] }
  t.equal((await post(service.app, '/v1/watch', watch, one.headers)).statusCode, 201)
  const her = await caseWithVideo(service, [first, ...rest])

  const matches = await asked(service, one.headers, her.hashes, 'group')
  const ids = new Set(matches.flat().map(({ matchId }) => matchId))
  t.equal(ids.size, 1, 'one match id, of stills and of the video')
  const [matchId] = ids
  await service.services.settled()
  const context = (await ask(service, 'GET', '/v1/insights/contexts', one.headers)).json()
  t.match(context, { contexts: [{ context: 'group', images24h: 1, images30d: 1 }] })
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
  t.match((await register(her.hashes)).json(), { code: 'known-harmless' }, 'it is blocked from resubmission')
  const appeal = await ask(service, 'POST', `${again.url}/appeals`, again.headers, {
    signals: [{ type: 'pdq', hash: first, quality: 100 }],
  })
  t.ok(appeal.statusCode < 300, appeal.body)
  t.equal((await register([first, randomHashText()])).statusCode, 201, 'one harmless frame keeps no other film out')
})
