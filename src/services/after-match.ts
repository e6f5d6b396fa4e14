// What follows from matches, behind the answers: the submitter learns of them, floods are stopped, contexts are counted.

import { FLOOD_RULES, floodNow, floodOf, LEAST_FLOOD, LEAST_PLATFORMS } from '../domain/flood.js'
import { Problem } from '../domain/problem.js'
import type { RegisteredImage } from '../domain/signal.js'
import { standingOf } from '../domain/trust.js'
import type { Canaries } from '../store/canaries.js'
import type { CaseEvents } from '../store/case-events.js'
import type { Contexts } from '../store/contexts.js'
import type { Events } from '../store/events.js'
import type { Images } from '../store/images.js'
import type { Seen, SightingStore } from '../store/sightings.js'
import type { Trusts } from '../store/trust.js'
import type { PartyOf } from './parties.js'
import type { HitsOfImages, SightingBatch } from './sightings.js'
import type { TrustService } from './trust.js'

export interface AfterMatchParts {
  readonly sightings: SightingStore
  readonly contexts: Pick<Contexts, 'note'>
  readonly images: Pick<Images, 'get'>
  readonly trusts: Pick<Trusts, 'get'>
  readonly trust: Pick<TrustService, 'hold'>
  readonly caseEvents: Pick<CaseEvents, 'add'>
  readonly events: Pick<Events, 'add'>
  readonly canaries: Pick<Canaries, 'among'>
  readonly isPlatform: (orgId: string) => Promise<boolean>
  readonly partyOf: PartyOf
  /** Told of each image and the platforms that met it: for the first time, or again when there is a notice about it. */
  readonly onMet: (imageId: string, image: RegisteredImage, orgIds: readonly string[], atMs: number) => Promise<void>
  readonly now: () => number
}

/** Images that are seen to together: what they ask of the store goes in one packet, and lets others in between. */
const AT_ONCE = 64

/** An operator who was told of a flood is not told again for so long. */
const TOLD_AGAIN_AFTER_S = 3600

/**
 * Takes a batch. What is wrong with one image stops no other.
 * @throws the first of what went wrong, when all others are done.
 */
export function afterMatches(parts: AfterMatchParts): (batch: SightingBatch) => Promise<void> {
  return async ({ hits, contexts }) => {
    const atMs = parts.now()
    const failures: unknown[] = []
    const attempt = (work: Promise<void>) => work.catch((error: unknown) => void failures.push(error))
    const all = [...hits]
    const platforms = await platformsAmong(parts, hits, attempt)
    for (let from = 0; from < all.length; from += AT_ONCE) {
      const some = all.slice(from, from + AT_ONCE)
      const imageIds = some.map(([imageId]) => imageId)
      await attempt(tellOfCanaries(parts, hits, imageIds, atMs, attempt))
      const met = some.flatMap(([imageId, byOrg]) => {
        const orgs = [...byOrg].filter(([orgId]) => platforms.has(orgId))
        return orgs.length === 0 ? [] : attempt(afterMatchesOf(parts, imageId, orgs, atMs))
      })
      await Promise.all(met)
    }
    for (const [orgId, byContext] of contexts) {
      for (const [context, imageIds] of byContext) {
        await attempt(parts.contexts.note(orgId, context, [...imageIds], atMs))
      }
    }
    if (failures.length > 0) throw failures[0]
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

/** Each organisation is asked about once, and not for each image that it met. */
async function platformsAmong(
  { isPlatform }: AfterMatchParts,
  hits: SightingBatch['hits'],
  attempt: (work: Promise<void>) => Promise<void>,
): Promise<ReadonlySet<string>> {
  const platforms = new Set<string>()
  const look = async (orgId: string) => {
    if (await isPlatform(orgId)) platforms.add(orgId)
  }
  const orgIds = new Set(Array.from(hits.values(), (byOrg) => [...byOrg.keys()]).flat())
  await Promise.all(Array.from(orgIds, (orgId) => attempt(look(orgId))))
  return platforms
}

/** @param orgs platforms, and how often each met it. */
async function afterMatchesOf(
  parts: AfterMatchParts,
  imageId: string,
  orgs: readonly (readonly [orgId: string, hits: number])[],
  atMs: number,
): Promise<void> {
  const platforms = orgs.map(([orgId, hits]) => ({ orgId, party: parts.partyOf(orgId, imageId), hits }))
  const seen = await parts.sightings.note(imageId, platforms, atMs)
  if (seen === undefined) return
  const metFirst = platforms.filter((_, i) => seen.isNew[i] === true).map(({ orgId }) => orgId)
  const mayBeFlood = floodOf(seen.hits, { platforms: LEAST_PLATFORMS }) >= LEAST_FLOOD
  if (metFirst.length === 0 && !seen.noticed && !mayBeFlood) return
  const [image] = await parts.images.get([imageId])
  if (image === undefined) return
  if (metFirst.length > 0 && image.caseId !== undefined) {
    await parts.caseEvents.add(image.caseId, 'matched', seen.parties, atMs)
  }
  const met = seen.noticed ? platforms.map(({ orgId }) => orgId) : metFirst
  if (met.length > 0) await parts.onMet(imageId, image, met, atMs)
  if (mayBeFlood) await guard(parts, imageId, image, seen, atMs)
}

/** Puts a signal that floods into quarantine, or tells the operator. */
async function guard(
  parts: AfterMatchParts,
  imageId: string,
  image: RegisteredImage,
  seen: Seen,
  atMs: number,
): Promise<void> {
  const { trust } = await parts.trusts.get(imageId)
  if (trust.circulation !== 'matching') return
  const rule = FLOOD_RULES[standingOf(image.tier, trust).tier]
  const flood = floodNow(rule, seen.hits, seen.past, trust.toleratedFlood)
  if (flood === 0) return
  if (!rule.holds) return await parts.events.add('signal.flooded', { signalId: imageId }, atMs, TOLD_AGAIN_AFTER_S)
  try {
    await parts.trust.hold(imageId, { cause: 'flood', flood })
  } catch (error) {
    // Withdrawn, or struck, in this very moment: either way it matches no more.
    if (!(error instanceof Problem) || !['signal-unknown', 'signal-struck'].includes(error.code)) throw error
    return
  }
  await parts.events.add('signal.held', { signalId: imageId }, atMs, TOLD_AGAIN_AFTER_S)
}
