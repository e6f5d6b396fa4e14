// A video that was judged harmless and withdrawn leaves a digest of each frame. For people that is one block.

import t from 'tap'
import { openStore } from '../../src/store/redis/client.js'
import { createAppealStore } from '../../src/store/trust/appeals.js'
import { storeAt } from '../helpers/redis.js'
import { refused } from '../helpers/refusal.js'
import { post, redisOf } from '../helpers/requests.js'
import { openCase, randomHashText, startService } from '../helpers/service.js'
import { ask, caseWithPicture, caseWithVideo, filmOf, operator } from '../helpers/trust.js'

const BLOCKS = '{tabir}:resubmission-blocks'
const hashes = (count: number) => Array.from({ length: count }, randomHashText)

const service = await startService(t, { now: () => Date.UTC(2027, 0, 1) })
const boss = await operator(service)
const redis = await redisOf(t, service)
t.beforeEach(() => redis.del(BLOCKS))

async function judgeHarmless({ imageId }: { readonly imageId: string }) {
  const url = `/v1/signals/${imageId}/dispute`
  await ask(service, 'POST', url, boss.headers, { reason: 'harmless-content' })
  const decided = await ask(service, 'POST', `${url}/decision`, boss.headers, { outcome: 'upheld' })
  if (decided.statusCode !== 200) throw new Error(decided.body)
}

/** Each is judged in the same millisecond as the others. */
async function blocked(frames: readonly string[]) {
  const her = await caseWithVideo(service, frames)
  await judgeHarmless(her)
  await ask(service, 'DELETE', her.url, her.headers)
}

async function register(frames: readonly string[]) {
  const her = await openCase(service.app)
  const answer = await post(service.app, `${her.url}/hashes`, { videos: [filmOf(frames)] }, her.headers)
  return { ...her, answer }
}

interface Block {
  readonly blockId: string
  readonly frames?: number
}

/** All pages, of one block each. */
async function blocks(limit = 1): Promise<Block[]> {
  const all: Block[] = []
  for (let after = ''; ; ) {
    const answer = await ask(service, 'GET', `/v1/resubmission-blocks?limit=${limit}${after}`, boss.headers)
    const page = answer.json<{ blocks: Block[]; next: string | null }>()
    all.push(...page.blocks)
    if (page.next === null) return all
    after = `&after=${page.next}`
  }
}

const lift = (block: Block | undefined) => ask(service, 'DELETE', `/v1/resubmission-blocks/${block?.blockId}`, boss.headers)

t.test('each video is one block with its frames, however many it has and whatever else was judged with it', async (t) => {
  const films = [hashes(2), hashes(250), hashes(3)]
  for (const film of films) await blocked(film)
  const picture = await caseWithPicture(service)
  await judgeHarmless(picture)
  await ask(service, 'DELETE', picture.url, picture.headers)
  t.equal(await redis.zcard(BLOCKS), 256 + 3, 'a digest for each frame, and one of each set')
  for (const limit of [1, 3, 1000]) {
    const listed = await blocks(limit)
    t.same(listed.map(({ frames = 0 }) => frames).sort(), [0, 2, 250, 3], `${limit} a page`)
  }
  const longest = (await blocks()).find(({ frames }) => frames === 250)
  t.equal((await lift(longest)).statusCode, 204)
  t.equal(await redis.zcard(BLOCKS), 8, 'it is gone with all of its frames')
  t.equal((await register(films[1] ?? [])).answer.statusCode, 201)
  refused(t, (await register(films[0] ?? [])).answer, 'known-harmless')
  refused(t, await lift(longest), 'block-unknown')
})

t.test('an appeal from an excerpt is about the block of its video, and granting it lifts all of it', async (t) => {
  const film = hashes(4)
  await blocked(film)
  refused(t, (await register(film)).answer, 'known-harmless')
  const her = await register(film.slice(2))
  t.equal(her.answer.statusCode, 201, 'perhaps only its beginning was judged')
  const signals = film.slice(2).map((hash) => ({ type: 'pdq', hash, quality: 100 }))
  t.same((await ask(service, 'POST', `${her.url}/appeals`, her.headers, { signals })).json(), { state: 'open' })
  const [block] = await blocks()
  const { appeals } = (await ask(service, 'GET', '/v1/appeals', boss.headers)).json<{ appeals: object[] }>()
  t.match(appeals, [{ signalId: null, blockId: block?.blockId, frames: 4 }])
  const decision = `/v1/appeals/${block?.blockId}/decision`
  t.equal((await ask(service, 'POST', decision, boss.headers, { outcome: 'granted' })).statusCode, 204)
  t.equal(await redis.exists(BLOCKS), 0)
  t.equal((await register(film)).answer.statusCode, 201)
})

t.test('an appeal about a video that is still registered says how long it is', async (t) => {
  const film = hashes(3)
  const kept = await caseWithVideo(service, film)
  await judgeHarmless(kept)
  const her = await openCase(service.app)
  const signals = film.map((hash) => ({ type: 'pdq', hash, quality: 100 }))
  await ask(service, 'POST', `${her.url}/appeals`, her.headers, { signals })
  const { appeals } = (await ask(service, 'GET', '/v1/appeals', boss.headers)).json<{ appeals: object[] }>()
  t.match(appeals, [{ signalId: kept.imageId, durationS: 6 }])
})

t.test('a frame that two videos share belongs to the one judged last, and each stays listed', async (t) => {
  const [shared, ...others] = hashes(5)
  const one = [shared ?? '', ...others.slice(0, 2)]
  await blocked(one)
  await blocked([shared ?? '', ...others.slice(2)])
  t.same(
    (await blocks()).map(({ frames }) => frames),
    [2, 3],
  )
  refused(t, (await register(one)).answer, 'known-harmless', 'both are blocked')
  await blocked(hashes(1))
  t.equal((await blocks()).length, 3)
  for (const block of await blocks()) t.equal((await lift(block)).statusCode, 204)
  t.equal(await redis.exists(BLOCKS), 0, 'every digest belonged to a block')
})

t.test('an appeal stays with its frames when other videos with some of them are judged', async (t) => {
  const appeal = async (frames: readonly string[]) => {
    const her = await openCase(service.app)
    const signals = frames.map((hash) => ({ type: 'pdq', hash, quality: 100 }))
    return (await ask(service, 'POST', `${her.url}/appeals`, her.headers, { signals })).json<{ state: string }>().state
  }
  const appealed = async () =>
    (await ask(service, 'GET', '/v1/appeals', boss.headers))
      .json<{ appeals: Block[] }>()
      .appeals.filter(({ blockId }) => blockId !== null)
  const decide = async (outcome: string) => {
    const [about] = await appealed()
    const url = `/v1/appeals/${about?.blockId}/decision`
    t.equal((await ask(service, 'POST', url, boss.headers, { outcome })).statusCode, 204)
  }

  const [first = '', ...rest] = hashes(4)
  await blocked([first, ...rest])
  t.equal(await appeal(rest), 'open')
  await blocked([first, ...hashes(1)])
  t.match(await appealed(), [{ frames: 3 }], 'the first frame named the block, and belongs to the other one now')
  await decide('granted')
  t.match(await blocks(), [{ frames: 2 }])
  t.equal((await register(rest)).answer.statusCode, 201)

  const film = hashes(2)
  await blocked(film)
  t.equal(await appeal(film), 'open')
  const longer = [...hashes(1), ...film]
  await blocked(longer)
  t.match(await appealed(), [{ blockId: String }], 'another one took its frames, and it still blocks the same video')
  await decide('denied')
  await blocked([...hashes(1), ...longer])
  t.equal(await appeal(film), 'denied', 'and so is a denial')
})

t.test('a reversed decision unblocks all frames', async (t) => {
  const her = await caseWithVideo(service)
  await judgeHarmless(her)
  t.same(
    (await blocks()).map(({ frames }) => frames),
    [3],
  )
  const url = `/v1/signals/${her.imageId}/dispute/decision`
  t.equal((await ask(service, 'DELETE', url, boss.headers)).statusCode, 200)
  t.same(await blocks(), [])
})

t.test('a block ends with all of its frames', async (t) => {
  await blocked(hashes(3))
  const untilMs = Math.max(...(await redis.zrange(BLOCKS, '0', '-1', 'WITHSCORES')).filter((_, i) => i % 2 > 0).map(Number))
  const store = await openStore(storeAt(service.redis.socket))
  t.teardown(() => store.close())
  const appeals = createAppealStore(store)
  t.equal(await appeals.endBlocks(Math.floor(untilMs) - 1), 0)
  t.same((await appeals.blocks(Math.floor(untilMs), undefined, 10)).blocks, [], 'a frame alone is not listed')
  t.equal(await appeals.endBlocks(Math.ceil(untilMs)), 4)
})
