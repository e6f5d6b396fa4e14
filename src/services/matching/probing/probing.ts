// The budget for what organisations may learn about a registered image. A query reveals something about a stored hash only near
// an edge of the answer (core/src/matching/edges.ts), so only such queries are counted: per organisation and image, and per image
// over all organisations. Counts do not depend on the order, route or signal type of queries, nor on other queries between them,
// and no count is evicted.

import type { ProbingCharge, ProbingCounts, ProbingSpent } from '../../../store/trust/probing.js'
import type { CountedObservation } from '../observing.js'
import { type Account, createProbingAccounts, NOTHING, type OrgAccounts } from './probing-accounts.js'

/**
 * Limits for the number of queries near an edge. Each such query reveals at most one bit, so an organisation learns at most 6 +
 * 24 bits about one image before it is blurred, and little with each query afterwards (decision 0114). Uploaders choose what a
 * platform queries, so nothing suspends it, and copies within `MAX_BLUR_BITS` of the radius are found whatever others asked.
 */
export const PROBING_BUDGETS = {
  /** Queries near inner edges, by one organisation or by all, from which the image, or the moment of a video, is reported coarsely. */
  coarse: 6,
  /** Charge for a query that is answered with a distance instead of a band, near an edge or not. */
  distance: 3,
  /** Queries near outer edges, by one organisation or by all, from which distances to the image are blurred (blur.ts). */
  blurred: 24,
  /** An organisation is charged no more of them for one image, so that the blur ends half a year after the last one. */
  most: 48,
  /** The total over all organisations affects an organisation only from this count of its own. */
  ownLeast: 3,
  /** Suspicion about an image, and over all images, from which the operator is told. Counted by each process for itself. */
  suspected: 18,
  across: 300,
  /**
   * By how much a query that is not near an outer edge lowers the suspicion, of its image and over all. An organisation that does
   * not probe has many such queries for each one near an edge.
   */
  credit: 0.4,
} as const

export interface ProbingRestriction {
  readonly isCoarse: boolean
  readonly isBlurred: boolean
}

export interface ProbingBudget {
  /**
   * Charges an organisation for the observations of a query.
   * @returns a promise to await before `restrictionOf` is called; `undefined` if there is nothing to wait for.
   */
  charge(orgId: string, observations: readonly CountedObservation[], knowsDistance: boolean): Promise<void> | undefined
  /**
   * @param moments of a video, as in `CountedObservation`. If too much was revealed about one of them, the answer is coarse.
   * @returns `undefined` for an image that was never charged.
   */
  restrictionOf(orgId: string, imageId: string, moments?: readonly number[]): ProbingRestriction | undefined
  /** The images that are blurred for an organisation, as far as this process knows; `undefined` if there are none. */
  blurredFor(orgId: string): ReadonlySet<string> | undefined
  /** Whether the organisation came near edges so often, of one of these images or of any, that the operator is to know. */
  isSuspect(orgId: string, imageIds: readonly string[]): boolean
  flush(): Promise<void>
  close(): Promise<void>
}

export interface ProbingBudgetParts {
  readonly counts: ProbingCounts
  readonly secret: Buffer
  readonly now: () => number
  readonly onError: (error: unknown) => void
  readonly intervalMs?: number
}

const INTERVAL_MS = 250
/** Maximum charges in a batch. */
const MAX_PER_BATCH = 500
export function createProbingBudget(parts: ProbingBudgetParts): ProbingBudget {
  const { counts, secret, now, onError, intervalMs = INTERVAL_MS } = parts
  const accounts = createProbingAccounts(secret)
  const asked = createRecentQueries()
  let flushing: Promise<void> = Promise.resolve()
  // Matching continues while the store is unavailable: charges stay in memory and are sent with the next batch.
  const flush = () => {
    flushing = flushing.then(() => sendCharges(accounts.orgs, counts, now)).catch(onError)
    return flushing
  }
  const timer = setInterval(flush, intervalMs).unref()

  return {
    charge(orgId, observations, knowsDistance) {
      if (observations.length === 0) return undefined
      const org = accounts.orgOf(orgId)
      let hasToWait = false
      let [isCounted, isOuterOfAny] = [false, false]
      for (const { imageId, edge: bare, distanceBits, marks, moments } of observations) {
        const known = org.images.get(imageId)
        const seesDistance = knowsDistance && distanceBits !== undefined && distanceBits > 0
        const edge = bare === 'none' && seesDistance ? 'inner' : bare
        const account = known ?? (edge === 'none' ? undefined : accounts.accountOf(orgId, org, imageId))
        if (!asked.isNew((account ?? org).seed, marks)) continue
        const isOuter = edge === 'outer' || edge === 'alone'
        isCounted ||= edge !== 'alone'
        isOuterOfAny ||= edge === 'outer'
        if (account === undefined) continue
        const inner = seesDistance ? PROBING_BUDGETS.distance : edge === 'inner' ? 1 : 0
        const ofMoments =
          inner === 0 ? [] : (moments ?? []).map((ms) => accounts.accountOf(orgId, org, momentOf(imageId, ms)))
        suspect(account, isOuter)
        const outer = isOuter && outerOf(account) < PROBING_BUDGETS.most ? 1 : 0
        add(org, account, { outer, inner: ofMoments.length === 0 ? inner : 0 })
        for (const each of ofMoments) add(org, each, { outer: 0, inner })
        if (!account.isLoaded) org.dirty.add(account)
        // Wait for the counts of other processes before the answer reveals anything. Otherwise each process would have a budget
        // of its own.
        const all = [account, ...ofMoments]
        const isRevealing = isOuter
          ? !restrictionOf(account).isBlurred
          : edge === 'inner' && !all.some((each) => restrictionOf(each).isCoarse)
        if (isRevealing || all.some(({ isLoaded }) => !isLoaded)) hasToWait = true
      }
      // Once for a query: somebody may have registered hundreds of images whose edges one picture is near.
      if (isCounted) suspect(org, isOuterOfAny)
      return hasToWait ? flush() : undefined
    },
    restrictionOf(orgId, imageId, moments = []) {
      const images = accounts.orgs.get(orgId)?.images
      const account = images?.get(imageId)
      const own = account && restrictionOf(account)
      const isCoarse = moments.some((ms) => {
        const ofMoment = images?.get(momentOf(imageId, ms))
        return ofMoment !== undefined && restrictionOf(ofMoment).isCoarse
      })
      return isCoarse ? { isBlurred: own?.isBlurred === true, isCoarse } : own
    },
    blurredFor(orgId) {
      const blurred = accounts.orgs.get(orgId)?.blurred
      return blurred === undefined || blurred.size === 0 ? undefined : blurred
    },
    isSuspect(orgId, imageIds) {
      const org = accounts.orgs.get(orgId)
      if (org === undefined) return false
      const isProbed = (imageId: string) => (org.images.get(imageId)?.suspicion ?? 0) >= PROBING_BUDGETS.suspected
      return org.suspicion >= PROBING_BUDGETS.across || imageIds.some(isProbed)
    },
    flush,
    async close() {
      clearInterval(timer)
      await flush()
    },
  }
}

/**
 * The name of the account for one moment of a video. An inner edge reveals bits of the hashes of one moment. A film has thousands of moments, so
 * ordinary queries for its excerpts reveal little about each. An attacker who reconstructs a hash queries one moment again and again.
 */
function momentOf(imageId: string, ms: number): string {
  return `${imageId}@${ms}`
}

async function sendCharges(orgs: ReadonlyMap<string, OrgAccounts>, counts: ProbingCounts, now: () => number): Promise<void> {
  for (const [orgId, org] of orgs) {
    const { dirty } = org
    while (dirty.size > 0) {
      const batch = [...dirty].slice(0, MAX_PER_BATCH)
      const charges = batch.map(({ own, shared, pending }): ProbingCharge => ({ own, shared, ...pending }))
      const spent = await counts.charge(orgId, charges, now())
      for (const [i, account] of batch.entries()) {
        const { pending } = account
        const { own = NOTHING, all = NOTHING } = spent[i] ?? {}
        const sent = charges[i]
        account.isLoaded = true
        account.spent = own
        account.all = all
        pending.inner -= sent?.inner ?? 0
        pending.outer -= sent?.outer ?? 0
        if (pending.inner === 0 && pending.outer === 0) dirty.delete(account)
        noteBlurred(org, account)
      }
    }
  }
}

function add(org: OrgAccounts, account: Account, { outer, inner }: ProbingSpent): void {
  if (outer === 0 && inner === 0) return
  account.pending.inner += inner
  account.pending.outer += outer
  org.dirty.add(account)
  noteBlurred(org, account)
}

function suspect(counted: { suspicion: number }, isOuter: boolean): void {
  counted.suspicion = Math.max(0, counted.suspicion + (isOuter ? 1 : -PROBING_BUDGETS.credit))
}

function outerOf({ spent, pending }: Account): number {
  return spent.outer + pending.outer
}

function restrictionOf(account: Account): ProbingRestriction {
  const { spent, all, pending } = account
  const outer = outerOf(account)
  const outerOfAll = all.outer + pending.outer
  const isOneOfMany = outer >= PROBING_BUDGETS.ownLeast
  const inner = spent.inner + pending.inner
  const innerOfAll = inner >= PROBING_BUDGETS.ownLeast ? all.inner + pending.inner : inner
  const isBlurred = outer >= PROBING_BUDGETS.blurred || (isOneOfMany && outerOfAll >= PROBING_BUDGETS.blurred)
  return { isCoarse: isBlurred || innerOfAll >= PROBING_BUDGETS.coarse, isBlurred }
}

/** Keeps `blurred` in step with the charges of an account. */
function noteBlurred({ blurred }: OrgAccounts, account: Account): void {
  if (restrictionOf(account).isBlurred) blurred.add(account.imageId)
  else blurred.delete(account.imageId)
}

/**
 * Remembers recent queries, so that a repeated hash, which reveals nothing new, is not charged again. The size of the memory is
 * fixed, so an overwritten query is charged again. Each slot has eight entries. With one entry, a platform that repeated the
 * same 4,000 copies every second was charged again for 1.5 % of them each time.
 */
function createRecentQueries() {
  const marks = new Uint32Array(1 << 17)
  const ENTRIES_PER_SLOT = 8
  let oldest = 0
  return {
    isNew(seed: number, [one, other]: readonly [number, number]): boolean {
      const mixed = Math.imul(one ^ seed, 0x9e3779b1)
      const slot = (mixed ^ (mixed >>> 15)) & (marks.length - ENTRIES_PER_SLOT)
      const mark = (Math.imul(other ^ seed, 0x85ebca6b) ^ one) >>> 0 || 1
      for (let i = slot; i < slot + ENTRIES_PER_SLOT; i++) {
        if (marks[i] === mark) return false
        if (marks[i] !== 0) continue
        marks[i] = mark
        return true
      }
      oldest = (oldest + 1) % ENTRIES_PER_SLOT
      marks[slot + oldest] = mark
      return true
    },
  }
}
