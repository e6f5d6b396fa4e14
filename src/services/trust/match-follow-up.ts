// Follows up on matches after the query was answered: updates time lines, starts deadlines, guards against floods, counts contexts.

import type { RegisteredFacts } from '../../../packages/core/src/matching/signal.js'
import { inChunks } from '../../domain/in-chunks.js'
import { Problem } from '../../domain/problem.js'
import { FLOOD_RULES, floodAction, frameOfLook, mayBeFlood, type Said } from '../../domain/trust/flood.js'
import type { HoldReason } from '../../domain/trust/quarantine.js'
import { tierOf } from '../../domain/trust/tier.js'
import { supportOf, type Trust } from '../../domain/trust/trust.js'
import type { CaseEvents } from '../../store/cases/case-events.js'
import type { Images } from '../../store/images/images.js'
import type { Canaries } from '../../store/trust/canaries.js'
import type { Contexts } from '../../store/trust/contexts.js'
import type { MatchEventStore, Seen } from '../../store/trust/match-counts.js'
import type { Trusts } from '../../store/trust/trust.js'
import type { Events } from '../../store/webhooks/events.js'
import type { StoreTime } from '../load/due-time.js'
import type { HitsOfImages, MatchEventBatch, OrgHits } from '../matching/match-recorder.js'
import type { PseudonymOf } from './pseudonyms.js'
import type { TrustService } from './trust.js'

export interface AfterMatchParts {
  readonly matchEvents: MatchEventStore
  readonly contexts: Pick<Contexts, 'note'>
  readonly images: Pick<Images, 'facts'>
  readonly trusts: Pick<Trusts, 'get'>
  readonly trust: Pick<TrustService, 'hold'>
  readonly caseEvents: Pick<CaseEvents, 'add'>
  readonly events: Pick<Events, 'add'>
  readonly canaries: Pick<Canaries, 'among'>
  readonly isPlatform: (orgId: string) => Promise<boolean>
  readonly pseudonymOf: PseudonymOf
  /**
   * Called with an image and the platforms that matched it for the first time; if its case has a notice, with all platforms of the batch that matched
   * it. May be called twice for the same match.
   */
  readonly onFirstMatch: (imageId: string, image: RegisteredFacts, orgIds: readonly string[], atMs: number) => Promise<void>
  readonly storeTime: StoreTime
  readonly now: () => number
  readonly onError: (error: unknown) => void
}

/** A matched image, and the finished steps of its follow-up. */
interface Met {
  readonly imageId: string
  /** Organisations that matched it, with their hits. Only platforms, unless `areUnchecked`. */
  readonly orgs: readonly (readonly [orgId: string, met: OrgHits])[]
  /** The look-up of whether it is a platform failed for some of `orgs`. */
  readonly areUnchecked: boolean
  /** Time of the match. Deadlines count from it, even if the follow-up is delayed. */
  readonly atMs: number
  /** The store's answer when it counted the matches. Kept for later attempts: it reports a platform as new only once. */
  seen?: Seen | undefined
  /** The match is in the case's time line. */
  isNotified?: boolean
  tries: number
}

/** Images processed concurrently. Their requests to the store share a packet, and other requests run between two groups. */
const AT_ONCE = 64

/** Minimum time between two events about one signal. It is longer for a flood without consequences, which may last for days. */
const EVENT_INTERVAL_S = 3600
const FLOOD_EVENT_INTERVAL_S = 86_400

/** Maximum looks counted per image and batch, because a script cannot unpack more than a few thousand arguments. */
const MAX_LOOKS = 4000

/** Maximum attempts per image. At one batch a second they outlast a failover of the store. Each failure is reported. Then the image is dropped. */
const MAX_TRIES = 600
/** Maximum images kept for another attempt. Further ones are reported and dropped. */
const MAX_UNFINISHED = 10_000

/**
 * @returns a function that follows up on a batch of matches, and returns whether there is something to try again. An image that fails does not affect
 *   the others. It is tried again with the next batch, because a legal deadline must start even if the store was briefly unavailable.
 */
export function afterMatches(parts: AfterMatchParts): (batch: MatchEventBatch) => Promise<boolean> {
  let unfinished: Met[] = []
  const finish = async (met: Met): Promise<void> => {
    try {
      await afterMatchesOf(parts, met)
    } catch (error) {
      parts.onError(error)
      met.tries += 1
      if (met.tries < MAX_TRIES && unfinished.length < MAX_UNFINISHED) unfinished.push(met)
    }
  }
  return async ({ hits, contexts }) => {
    // Of the clock that all processes share: the flood guard adds up their matches by the hour, and legal deadlines count from it.
    const atMs = await parts.storeTime().catch(parts.now)
    const attempt = (work: Promise<void>) => work.catch(parts.onError)
    const again = unfinished
    unfinished = []
    for (const some of inChunks(again, AT_ONCE)) await Promise.all(some.map(finish))
    const platforms = await platformsAmong(parts, hits)
    for (const some of inChunks([...hits], AT_ONCE)) {
      const imageIds = some.map(([imageId]) => imageId)
      await attempt(tellOfCanaries(parts, hits, imageIds, atMs, attempt))
      const met = some.flatMap(([imageId, byOrg]) => {
        const orgs = [...byOrg].filter(([orgId]) => platforms.get(orgId) !== false)
        const areUnchecked = orgs.some(([orgId]) => platforms.get(orgId) === undefined)
        return orgs.length === 0 ? [] : finish({ imageId, orgs, areUnchecked, atMs, tries: 0 })
      })
      await Promise.all(met)
    }
    for (const [orgId, byContext] of contexts) {
      for (const [context, imageIds] of byContext) {
        await attempt(parts.contexts.note(orgId, context, [...imageIds], atMs))
      }
    }
    return unfinished.length > 0
  }
}

/** Raises an event if an organisation matched a canary: only a list that was passed on contains its hash. */
async function tellOfCanaries(
  { canaries, events }: AfterMatchParts,
  hits: HitsOfImages,
  imageIds: readonly string[],
  atMs: number,
  attempt: (work: Promise<void>) => Promise<void>,
): Promise<void> {
  for (const signalId of await canaries.among(imageIds)) {
    for (const orgId of hits.get(signalId)?.keys() ?? [])
      await attempt(events.add('canary.matched', { signalId, orgId }, atMs, EVENT_INTERVAL_S))
  }
}

/** Which of the organisations are platforms. Looks each up once, and leaves out those whose look-up failed. */
async function platformsAmong(
  { isPlatform, onError }: AfterMatchParts,
  hits: MatchEventBatch['hits'],
): Promise<ReadonlyMap<string, boolean>> {
  const platforms = new Map<string, boolean>()
  const look = async (orgId: string) => void platforms.set(orgId, await isPlatform(orgId))
  const orgIds = new Set(Array.from(hits.values(), (byOrg) => [...byOrg.keys()]).flat())
  await Promise.all(Array.from(orgIds, (orgId) => look(orgId).catch(onError)))
  return platforms
}

async function platformsIn({ isPlatform, pseudonymOf }: AfterMatchParts, { imageId, orgs, areUnchecked }: Met) {
  const platforms = []
  for (const [orgId, met] of orgs)
    if (!areUnchecked || (await isPlatform(orgId))) platforms.push({ orgId, pseudonym: pseudonymOf(orgId, imageId), ...met })
  return platforms
}

/**
 * Follows up on one image. Records finished steps in `met`, so that another attempt does only the rest. Starts deadlines before it changes the time
 * line or the signal, because starting one twice is harmless and missing one is not.
 */
async function afterMatchesOf(parts: AfterMatchParts, met: Met): Promise<void> {
  const { imageId, atMs } = met
  const platforms = await platformsIn(parts, met)
  if (platforms.length === 0) return
  const allLooks = platforms.flatMap(({ looks, pseudonym }) => [...looks].map(([look, view]) => ({ look, view, pseudonym })))
  const looks = allLooks.slice(0, MAX_LOOKS).map(({ look, ...rest }) => {
    const frame = frameOfLook(look)
    const named = { look: parts.pseudonymOf(`look ${look}`, imageId), ...rest }
    return { ...named, frame: frame === 0 ? undefined : parts.pseudonymOf(`frame ${frame}`, imageId) }
  })
  met.seen ??= await parts.matchEvents.note(imageId, platforms, looks, atMs)
  const { seen } = met
  if (seen === undefined) return
  const metFirst = platforms.filter((_, i) => seen.isNew[i] === true).map(({ orgId }) => orgId)
  const isFlood = mayBeFlood(seen)
  if (metFirst.length === 0 && !seen.noticed && !isFlood) return
  const [image] = await parts.images.facts([imageId])
  if (image === undefined) return
  const told = seen.noticed ? platforms.map(({ orgId }) => orgId) : metFirst
  if (told.length > 0) await parts.onFirstMatch(imageId, image, told, atMs)
  if (metFirst.length > 0 && image.caseId !== undefined && met.isNotified !== true) {
    await parts.caseEvents.add(image.caseId, 'matched', seen.pseudonyms, atMs)
    met.isNotified = true
  }
  if (isFlood) await guard(parts, imageId, image, seen, atMs)
}

/**
 * Flood guard: stops the view by which a signal matches look-alikes, or narrows the signal, or only tells operators. Holds a signal that platforms dispute. Raises an event
 * for operators.
 */
async function guard(
  parts: AfterMatchParts,
  imageId: string,
  image: RegisteredFacts,
  seen: Seen,
  atMs: number,
): Promise<void> {
  const { trust } = await parts.trusts.get(imageId)
  const { circulation, stoppedViews } = trust
  if (circulation === 'held' || circulation === 'invalidated') return
  const rule = FLOOD_RULES[tierOf(image.tier, supportOf(trust))]
  const flood = floodAction(rule, seen, saidOf(trust), trust.toleratedFlood, stoppedViews)
  if (flood === undefined) return
  const { becomes, height } = flood
  if (becomes === 'reported')
    return await parts.events.add('signal.flooded', { signalId: imageId }, atMs, FLOOD_EVENT_INTERVAL_S)
  if (circulation === 'narrowed' && becomes !== 'held') return
  const why: HoldReason =
    becomes === 'view-stopped'
      ? { cause: 'decoration', flood: height, view: flood.view }
      : { cause: becomes === 'narrowed' ? 'look-alikes' : 'flood', flood: height }
  try {
    await parts.trust.hold(imageId, why)
  } catch (error) {
    // It was withdrawn or invalidated meanwhile, so it no longer matches.
    if (!(error instanceof Problem) || !['signal-unknown', 'signal-invalidated'].includes(error.code)) throw error
    return
  }
  await parts.events.add(`signal.${becomes}`, { signalId: imageId }, atMs, EVENT_INTERVAL_S)
}

function saidOf(trust: Trust): Said {
  const disputes = trust.verdicts.filter(({ verdict, counts }) => counts && verdict === 'disputed').length
  return { ...supportOf(trust), disputes }
}
