// Queries both APIs about everything that an episode has touched, and compares with what was promised.

import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { imageShard, keys, trustShard } from '../../src/store/redis/keys.js'
import { type FeedFollowers, heldBy } from './feed-followers.js'
import { type Expected, expectedOf, type Thing } from './model.js'
import type { PromiseName } from './promises.js'
import { nameOf, type Scene, thingName, untilReady } from './scene.js'
import type { Api } from './steps.js'
import { filmOf, framesOf, isVideo, oddityOf } from './videos.js'
import { FEED_DELAY_MINUTES } from './world.js'

const Found = z.object({
  ...{ matchId: z.string(), bank: z.string(), tier: z.string(), disputed: z.boolean() },
  atMs: z.int().optional(),
  segments: z.array(z.object({ frames: z.int() })).optional(),
})
const MatchAnswer = z.object({ results: z.array(z.object({ matches: z.array(Found) })) })
export type Found = z.infer<typeof Found>

interface Breach {
  readonly promise: PromiseName
  readonly what: string
}

/** Other processes follow within a second; a busy machine may need longer. */
const ELSEWHERE_TIMEOUT_MS = 8000
const SAMPLE = 100
const AT_ONCE = 500
/** With more, reading the feed would take longer than everything else. */
const MAX_FED = 20_000

/** @param by the API that acknowledged the last change: there it holds at once. */
export async function check(scene: Scene, followers: FeedFollowers, by: Api | undefined): Promise<void> {
  const things = sampled(scene)
  const hashes = [...new Set(things.flatMap(({ hash }) => framesOf(hash)))]
  const seen: Map<string, readonly Found[]>[] = []
  for (const at of inOrder(by)) {
    if (scene.world.stopped.has(at)) continue
    seen.push(await checkOne(scene, at, things, hashes, at === by ? 0 : ELSEWHERE_TIMEOUT_MS))
  }
  if (scene.model.things.size <= MAX_FED) await checkFeeds(scene, followers, hashes)
  const [first, second] = seen
  if (first !== undefined && second !== undefined) await checkAgreement(scene, hashes)
}

function inOrder(by: Api | undefined): readonly Api[] {
  return by === 1 ? [1, 0] : [0, 1]
}

/** Everything; of groups of thousands the first, the last and some between. */
function sampled({ model, random }: Scene): Thing[] {
  const things = [...model.things.values()]
  const many = things.filter(({ hash, presence }) => hash.includes('.') && presence === 'there')
  if (many.length <= 3 * SAMPLE) return things
  const between = Array.from({ length: SAMPLE }, () => many[Math.floor(random() * many.length)])
  const chosen = new Set([...many.slice(0, SAMPLE), ...between, ...many.slice(-SAMPLE)])
  return things.filter((thing) => !thing.hash.includes('.') || thing.presence !== 'there' || chosen.has(thing))
}

async function checkOne(scene: Scene, at: Api, things: readonly Thing[], hashes: readonly string[], timeoutMs: number) {
  const endMs = performance.now() + timeoutMs
  for (;;) {
    const found = await matchesOf(scene, at, hashes)
    const breaches = [...breachesOf(scene, at, things, found), ...(await frameBreachesOf(scene, at, things, found))]
    const breach = breaches.find(({ promise }) => !scene.ignores(promise))
    if (breach === undefined) return found
    if (performance.now() > endMs) scene.broken(breach.promise, breach.what)
    await sleep(20)
  }
}

/** The matches that the watcher gets; waits until the API answers. */
export async function matchesOf(scene: Scene, at: Api, hashes: readonly string[]): Promise<Map<string, readonly Found[]>> {
  const found = new Map<string, readonly Found[]>()
  for (let from = 0; from < hashes.length; from += AT_ONCE) {
    const some = hashes.slice(from, from + AT_ONCE)
    const results = await resultsOf(
      scene,
      at,
      some.map((hash) => ({ signals: [{ type: 'pdq', hash: scene.hashOf(hash) }] })),
    )
    some.forEach((hash, i) => {
      found.set(hash, results[i] ?? [])
    })
  }
  return found
}

/** The matches of each query that the watcher gets; waits until the API answers. */
export async function resultsOf(scene: Scene, at: Api, queries: readonly object[]): Promise<(readonly Found[])[]> {
  for (;;) {
    const key = scene.keys.watcher
    const answer = await scene.ask(at, { method: 'POST', path: '/v1/match', key, json: { queries, transforms: false } })
    const parsed = MatchAnswer.safeParse(answer.json)
    if (answer.status === 200 && parsed.success) return parsed.data.results.map(({ matches }) => matches)
    if (answer.status !== 503 && answer.status !== 0 && answer.status !== 401)
      scene.broken('answers', `a match was answered with ${answer.status}: ${answer.text.slice(0, 160)}`)
    await untilReady(scene, at)
    await sleep(10)
  }
}

/** Videos are registered in cases only. */
async function frameBreachesOf(
  scene: Scene,
  at: Api,
  things: readonly Thing[],
  found: ReadonlyMap<string, readonly Found[]>,
): Promise<Breach[]> {
  const videos = [...new Set(things.map(({ hash }) => hash).filter(isVideo))]
  if (videos.length === 0) return []
  const films = await resultsOf(
    scene,
    at,
    videos.map((hash) => ({ video: filmOf(hash, scene.hashOf) })),
  )
  return videos.flatMap((hash, i) => {
    const stills = framesOf(hash).map((name) => found.get(name) ?? [])
    const odd = oddityOf(hash, stills, films[i] ?? [])
    return odd === undefined ? [] : [{ promise: 'frames-agree', what: `${nameOf(at)}: ${odd}` } as const]
  })
}

export function bankOf({ cases, bankName }: Scene, home: string): string {
  return cases.has(home) ? 'cases' : bankName(home)
}

function breachesOf(
  scene: Scene,
  at: Api,
  things: readonly Thing[],
  found: ReadonlyMap<string, readonly Found[]>,
): Breach[] {
  scene.model.nowS = scene.nowS()
  const byPlace = new Map<string, Expected[]>()
  for (const thing of things) {
    const place = `${bankOf(scene, thing.home)} ${thing.hash}`
    byPlace.set(place, [...(byPlace.get(place) ?? []), expectedOf(scene.model, thing)])
  }
  return [...byPlace].flatMap(([place, expected]) => {
    const [bank, hash = ''] = place.split(' ')
    const matches = (found.get(hash) ?? []).filter((each) => each.bank === bank)
    const breach = breachOf(expected, matches)
    return breach === undefined ? [] : [{ ...breach, what: `${nameOf(at)}: ${breach.what}` }]
  })
}

const SILENT: Readonly<Record<NonNullable<Expected['why']>, PromiseName>> = {
  withdrawn: 'withdrawn-silent',
  held: 'held-silent',
  paused: 'paused-silent',
  rejected: 'rejected-silent',
  'two-holds': 'two-holds',
  'known to be withdrawn': 'known-withdrawals',
}

/** For one hash in one bank: mostly one thing; more if it is in several cases. */
function breachOf(expected: readonly Expected[], matches: readonly Found[]): Breach | undefined {
  const must = expected.filter(({ matching }) => matching === 'must')
  const may = expected.filter(({ matching }) => matching !== 'never')
  const [first] = expected
  if (first === undefined) return undefined
  const name = thingName(first.thing)
  if (matches.length < must.length) {
    const [{ thing } = first] = must
    const wasHeld = thing.hadBothHolds ? 'two-holds' : thing.wasSilent ? 'released-matches' : 'registered-matches'
    return { promise: wasHeld, what: `${name} does not match` }
  }
  if (matches.length > may.length) {
    const silent = expected.find(({ matching }) => matching === 'never') ?? first
    const why = silent.why ?? 'withdrawn'
    return { promise: SILENT[why], what: `${thingName(silent.thing)} matches though it is ${why}` }
  }
  const [match] = matches
  if (expected.length > 1 || match === undefined) return undefined
  if (!first.tiers.some((tier) => tier === match.tier))
    return { promise: 'tiers', what: `${name} matches as ${match.tier}, and is ${first.tiers.join(' or ')}` }
  if (first.disputed !== undefined && first.disputed !== match.disputed)
    return { promise: 'disputed', what: `${name} matches with disputed: ${match.disputed}` }
  return undefined
}

async function checkFeeds(scene: Scene, followers: FeedFollowers, hashes: readonly string[]): Promise<void> {
  for (const at of [0, 1] as const) {
    if (scene.world.stopped.has(at)) continue
    await settled(scene, 'feed-agrees', async () => {
      await passFeedDelay(scene)
      const found = await matchesOf(scene, at, hashes)
      const held = await heldBy(followers, scene, at)
      const odd = hashes.find((hash) => textOf(found.get(hash)) !== textOf(held.get(scene.hashOf(hash))))
      if (odd === undefined) return undefined
      return `${nameOf(at)}: of ${odd} a match says ${textOf(found.get(odd))}, the feed ${textOf(held.get(scene.hashOf(odd)))}`
    })
  }
}

/** Images of cases wait for the feed. By Redis's clock, whose dates are moved. */
async function passFeedDelay({ world }: Scene): Promise<void> {
  const lua = "if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('DECRBY', KEYS[1], ARGV[1]) end"
  await world.redis().eval(lua, 1, keys.feedWaitingSince, FEED_DELAY_MINUTES * 60_000)
}

async function checkAgreement(scene: Scene, hashes: readonly string[]): Promise<void> {
  await settled(scene, 'apis-agree', async () => {
    const [a, b] = [await matchesOf(scene, 0, hashes), await matchesOf(scene, 1, hashes)]
    const odd = hashes.find((hash) => textOf(a.get(hash)) !== textOf(b.get(hash)))
    return odd === undefined ? undefined : `of ${odd} API A says ${textOf(a.get(odd))}, API B ${textOf(b.get(odd))}`
  })
}

/** Checks repeatedly until nothing is odd, or time is up. */
export async function settled(scene: Scene, promise: PromiseName, look: () => Promise<string | undefined>): Promise<void> {
  if (scene.ignores(promise)) return
  const endMs = performance.now() + ELSEWHERE_TIMEOUT_MS
  for (;;) {
    const odd = await look()
    if (odd === undefined) return
    if (performance.now() > endMs) return scene.broken(promise, odd)
    await sleep(30)
  }
}

/** Includes match ids: the same for the same image, at every API and in the feed. */
function textOf(found: readonly Found[] = []): string {
  const facts = found.map(({ matchId, bank, tier, disputed }) => {
    const name = bank.replace(/-[0-9a-f-]{12,}$/, '')
    return `${name} ${tier}${disputed ? ' disputed' : ''} (${matchId.slice(0, 8)})`
  })
  return facts.length === 0 ? 'nothing' : facts.sort().join(', ')
}

/** Whether nothing of an image is left in the store. */
export async function checkErased(scene: Scene, name: string): Promise<void> {
  const id = scene.ids.get(name)
  if (id === undefined) return
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex')
  const places = [keys.images(imageShard(bytes)), keys.trust(trustShard(bytes)), keys.trustStatuses(trustShard(bytes))]
  await settled(scene, 'erased', async () => {
    const left = await Promise.all(places.map((place) => scene.world.redis().hexists(place, bytes)))
    const at = left.indexOf(1)
    return at === -1
      ? undefined
      : `${name} is still in ${places[at]} ${ELSEWHERE_TIMEOUT_MS / 1000} s after it was withdrawn`
  })
}
