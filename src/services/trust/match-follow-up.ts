// What follows from matches, behind the answers: the submitter learns of them, floods are stopped, contexts are counted.

import type { RegisteredImage } from '../../domain/matching/signal.js'
import { Problem } from '../../domain/problem.js'
import { FLOOD_RULES, floodNow, mayBeFlood, type Said } from '../../domain/trust/flood.js'
import { tierOf } from '../../domain/trust/tier.js'
import { supportOf, type Trust } from '../../domain/trust/trust.js'
import type { CaseEvents } from '../../store/cases/case-events.js'
import type { Images } from '../../store/images/images.js'
import type { Canaries } from '../../store/trust/canaries.js'
import type { Contexts } from '../../store/trust/contexts.js'
import type { MatchEventStore, Seen } from '../../store/trust/match-counts.js'
import type { Trusts } from '../../store/trust/trust.js'
import type { Events } from '../../store/webhooks/events.js'
import type { HitsOfImages, MatchEventBatch, OrgHits } from '../matching/match-recorder.js'
import type { PseudonymOf } from './pseudonyms.js'
import type { TrustService } from './trust.js'

export interface AfterMatchParts {
  readonly matchEvents: MatchEventStore
  readonly contexts: Pick<Contexts, 'note'>
  readonly images: Pick<Images, 'get'>
  readonly trusts: Pick<Trusts, 'get'>
  readonly trust: Pick<TrustService, 'hold'>
  readonly caseEvents: Pick<CaseEvents, 'add'>
  readonly events: Pick<Events, 'add'>
  readonly canaries: Pick<Canaries, 'among'>
  readonly isPlatform: (orgId: string) => Promise<boolean>
  readonly pseudonymOf: PseudonymOf
  /** Told of each image and the platforms that met it: for the first time, or again when there is a notice about it. May be told twice. */
  readonly onMet: (imageId: string, image: RegisteredImage, orgIds: readonly string[], atMs: number) => Promise<void>
  readonly now: () => number
  readonly onError: (error: unknown) => void
}

/** An image that platforms met, and how far what follows from it has come. */
interface Met {
  readonly imageId: string
  /** Organisations, and how often each met it: platforms, or `areUnchecked` where the store did not say who is one. */
  readonly orgs: readonly (readonly [orgId: string, met: OrgHits])[]
  readonly areUnchecked: boolean
  /** When it was met, also if what follows is done later: clocks count from then. */
  readonly atMs: number
  /** What the store said when it counted the matches: it says so once that a platform is new. */
  seen?: Seen | undefined
  isTold?: boolean
  tries: number
}

/** Images that are seen to together: what they ask of the store goes in one packet, and lets others in between. */
const AT_ONCE = 64

/** An operator who was told of something is not told again for so long; of a flood that changes nothing for longer, since it may last for days. */
const TOLD_AGAIN_AFTER_S = 3600
const FLOOD_TOLD_AGAIN_AFTER_S = 86_400

/** Of an image in one batch: a script unpacks no more than some thousands. */
const MAX_LOOKS = 4000

/** With a batch a second, so many tries outlast a failover of the store; what fails after them is reported and given up. */
const MAX_TRIES = 600
/** Images whose work is tried again. What comes beyond it is reported and given up. */
const MAX_UNFINISHED = 10_000

/**
 * Takes a batch. What is wrong with one image stops no other, and is tried again with the next batch: a clock that a law gives a platform must
 * not be missing because the store was unavailable for a moment.
 * @returns whether there is something to try again.
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
    const atMs = parts.now()
    const attempt = (work: Promise<void>) => work.catch(parts.onError)
    const again = unfinished
    unfinished = []
    for (let from = 0; from < again.length; from += AT_ONCE) await Promise.all(again.slice(from, from + AT_ONCE).map(finish))
    const all = [...hits]
    const platforms = await platformsAmong(parts, hits)
    for (let from = 0; from < all.length; from += AT_ONCE) {
      const some = all.slice(from, from + AT_ONCE)
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

/** Whoever asks for what nobody was given. */
async function tellOfCanaries(
  { canaries, events }: AfterMatchParts,
  hits: HitsOfImages,
  imageIds: readonly string[],
  atMs: number,
  attempt: (work: Promise<void>) => Promise<void>,
): Promise<void> {
  for (const signalId of await canaries.among(imageIds)) {
    for (const orgId of hits.get(signalId)?.keys() ?? [])
      await attempt(events.add('canary.met', { signalId, orgId }, atMs, TOLD_AGAIN_AFTER_S))
  }
}

/** Each organisation is asked about once, and not for each image that it met. What could not be asked is left out. */
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

/** What was done is noted in `met`, so that a second try does the rest. Clocks first: they may be started twice, and must not be missing. */
async function afterMatchesOf(parts: AfterMatchParts, met: Met): Promise<void> {
  const { imageId, atMs } = met
  const platforms = await platformsIn(parts, met)
  if (platforms.length === 0) return
  const unlike = new Set(platforms.flatMap(({ looks }) => [...looks]))
  const looks = [...unlike].slice(0, MAX_LOOKS).map((look) => parts.pseudonymOf(`look ${look}`, imageId))
  met.seen ??= await parts.matchEvents.note(imageId, platforms, looks, atMs)
  const { seen } = met
  if (seen === undefined) return
  const metFirst = platforms.filter((_, i) => seen.isNew[i] === true).map(({ orgId }) => orgId)
  const isFlood = mayBeFlood(seen)
  if (metFirst.length === 0 && !seen.noticed && !isFlood) return
  const [image] = await parts.images.get([imageId])
  if (image === undefined) return
  const told = seen.noticed ? platforms.map(({ orgId }) => orgId) : metFirst
  if (told.length > 0) await parts.onMet(imageId, image, told, atMs)
  if (metFirst.length > 0 && image.caseId !== undefined && met.isTold !== true) {
    await parts.caseEvents.add(image.caseId, 'matched', seen.pseudonyms, atMs)
    met.isTold = true
  }
  if (isFlood) await guard(parts, imageId, image, seen, atMs)
}

/** Narrows a signal that floods with what only looks like it, holds one that platforms speak against, and tells the operator. */
async function guard(
  parts: AfterMatchParts,
  imageId: string,
  image: RegisteredImage,
  seen: Seen,
  atMs: number,
): Promise<void> {
  const { trust } = await parts.trusts.get(imageId)
  const { circulation, heldFor } = trust
  if (circulation === 'held' || circulation === 'invalidated') return
  const rule = FLOOD_RULES[tierOf(image.tier, supportOf(trust))]
  const flood = floodNow(rule, seen, saidOf(trust), trust.toleratedFlood)
  if (flood === undefined) return
  const { becomes, height } = flood
  if (becomes === 'told')
    return await parts.events.add('signal.flooded', { signalId: imageId }, atMs, FLOOD_TOLD_AGAIN_AFTER_S)
  const cause = becomes === 'narrowed' ? 'look-alikes' : 'flood'
  if (heldFor === cause) return
  try {
    await parts.trust.hold(imageId, { cause, flood: height })
  } catch (error) {
    // Withdrawn, or invalidated, in this very moment: either way it matches no more.
    if (!(error instanceof Problem) || !['signal-unknown', 'signal-invalidated'].includes(error.code)) throw error
    return
  }
  await parts.events.add(`signal.${becomes}`, { signalId: imageId }, atMs, TOLD_AGAIN_AFTER_S)
}

function saidOf(trust: Trust): Said {
  const disputes = trust.verdicts.filter(({ verdict, counts }) => counts && verdict === 'disputed').length
  return { ...supportOf(trust), disputes }
}
