// The budget for what organisations may learn about a registered image. A query reveals something about a stored hash only near
// an edge of the answer (domain/matching/edges.ts), so only such queries are counted: per organisation and image, across the
// images of an organisation, and per image over all organisations. A query that is not near an outer edge lowers the count of
// outer ones. Counts do not depend on the order, route or signal type of queries, and no count is evicted.

import { type Edge, isNearEdge } from '../../../domain/matching/edges.js'
import type { ProbingCharge, ProbingCounts } from '../../../store/trust/probing.js'
import type { CountedObservation } from '../observation.js'
import { type Account, createProbingAccounts, NOTHING, type OrgAccounts } from './probing-accounts.js'

/**
 * Limits for the number of queries near an edge. Each such query reveals at most one bit, so an organisation learns at most 6 +
 * 24 bits about one image, unless it hides its queries among many harmless copies: then flipped-bits.ts stops it, at about 160
 * bits. Uploaders choose what a platform queries, so nothing suspends it (decision 0114).
 */
export const PROBING_BUDGETS = {
  /** Queries near inner edges, by one organisation or by all, from which the image, or the moment of a video, is reported coarsely. */
  coarse: 6,
  /** Charge for a query that is answered with a distance instead of a band, near an edge or not. */
  distance: 3,
  /** Queries near outer edges, by one organisation or by all, from which a smaller, secret radius replaces that of the bank. */
  frozen: 18,
  /** Queries near outer edges from which the image matches only exact hashes. */
  spent: 24,
  /** The total over all organisations affects an organisation only from this count of its own. */
  ownLeast: 3,
  /** Queries near outer edges of any images, by an organisation, from which the operator is told. */
  across: 300,
  /**
   * By how much a query that is not near an outer edge lowers the count of those near outer edges, of its image and across images.
   * The count of a frozen image is not lowered. An organisation that does not probe has many such queries for each one near an
   * edge.
   */
  credit: 0.4,
} as const

export interface ProbingRestriction {
  readonly isCoarse: boolean
  /** The radius that replaces the bank's; 0 for exact hashes only; `undefined` where the bank's applies. */
  readonly radiusBits: number | undefined
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
  /** Whether the organisation came near edges so often, whatever the images, that the operator is to know. */
  isSpentAcross(orgId: string): boolean
  /** Charges an image until it is `frozen` (its radius is replaced) or `spent` (it matches only exact hashes). */
  spend(orgId: string, imageId: string, upTo: 'frozen' | 'spent'): void
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
        const edge = edgeIn(known, bare === 'none' && seesDistance ? 'inner' : bare, distanceBits)
        const account = known ?? (edge === 'none' ? undefined : accounts.accountOf(orgId, org, imageId))
        if (!asked.isNew((account ?? org.across).seed, marks)) continue
        const isOuter = edge === 'outer' || edge === 'alone'
        isCounted ||= edge !== 'alone'
        isOuterOfAny ||= edge === 'outer'
        if (account === undefined) continue
        const inner = seesDistance ? PROBING_BUDGETS.distance : edge === 'inner' ? 1 : 0
        const ofMoments =
          inner === 0 ? [] : (moments ?? []).map((ms) => accounts.accountOf(orgId, org, momentOf(imageId, ms)))
        add(org, account, { outer: isOuter ? 1 : 0, inner: ofMoments.length === 0 ? inner : 0 })
        for (const each of ofMoments) add(org, each, { outer: 0, inner })
        if (!account.isLoaded) org.dirty.add(account)
        // Wait for the counts of other processes before the answer reveals anything. Otherwise each process would have a budget
        // of its own.
        const all = [account, ...ofMoments]
        const isRevealing = isOuter || (edge === 'inner' && !all.some((each) => restrictionOf(each).isCoarse))
        if (isRevealing || all.some(({ isLoaded }) => !isLoaded)) hasToWait = true
      }
      // Once for a query: somebody may have registered hundreds of images whose edges one picture is near.
      if (isCounted) add(org, org.across, { outer: isOuterOfAny ? 1 : 0 })
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
      return isCoarse ? { radiusBits: own?.radiusBits, isCoarse } : own
    },
    isSpentAcross(orgId) {
      const org = accounts.orgs.get(orgId)
      return org !== undefined && outerOf(org.across) >= PROBING_BUDGETS.across
    },
    spend(orgId, imageId, upTo) {
      const org = accounts.orgOf(orgId)
      const account = accounts.accountOf(orgId, org, imageId)
      account.pending.outer += Math.max(0, PROBING_BUDGETS[upTo] - outerOf(account))
      org.dirty.add(account)
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
  for (const [orgId, { dirty }] of orgs) {
    while (dirty.size > 0) {
      const batch = [...dirty].slice(0, MAX_PER_BATCH)
      const charges = batch.map(({ own, shared, pending }): ProbingCharge => ({ own, shared, ...pending }))
      const spent = await counts.charge(orgId, charges, PROBING_BUDGETS.frozen, now())
      for (const [i, account] of batch.entries()) {
        const { pending } = account
        const { own = NOTHING, all = NOTHING } = spent[i] ?? {}
        const sent = charges[i]
        account.isLoaded = true
        account.spent = own
        account.all = all
        pending.inner -= sent?.inner ?? 0
        pending.outer -= sent?.outer ?? 0
        pending.credit -= sent?.credit ?? 0
        if (pending.inner === 0 && pending.outer === 0 && Math.abs(pending.credit) < 1e-6) dirty.delete(account)
      }
    }
  }
}

function add(org: OrgAccounts, account: Account, { outer, inner = 0 }: { outer: number; inner?: number }): void {
  const { pending } = account
  pending.inner += inner
  pending.outer += outer
  const spent = outerOf(account)
  if (outer === 0 && spent > 0 && (account === org.across || restrictionOf(account).radiusBits === undefined))
    pending.credit += PROBING_BUDGETS.credit
  else if (outer === 0 && inner === 0) return
  org.dirty.add(account)
}

/** The edge of an observation. For an image with a replaced radius, that radius is the only edge. */
function edgeIn(account: Account | undefined, edge: Edge, distanceBits: number | undefined): Edge {
  const radiusBits = account && restrictionOf(account).radiusBits
  if (radiusBits === undefined) return edge
  return radiusBits > 0 && distanceBits !== undefined && isNearEdge(distanceBits, radiusBits) ? 'outer' : 'none'
}

function outerOf({ spent, pending }: Account): number {
  return Math.max(0, spent.outer - pending.credit) + pending.outer
}

function restrictionOf(account: Account): ProbingRestriction {
  const { spent, all, pending, radiusBits } = account
  const outer = outerOf(account)
  const outerOfAll = all.outer + Math.max(0, outer - spent.outer)
  const isOneOfMany = outer >= PROBING_BUDGETS.ownLeast
  const inner = spent.inner + pending.inner
  const innerOfAll = inner >= PROBING_BUDGETS.ownLeast ? all.inner + pending.inner : inner
  const isFrozen = outer >= PROBING_BUDGETS.frozen || (isOneOfMany && outerOfAll >= PROBING_BUDGETS.frozen)
  const isClosed = outer >= PROBING_BUDGETS.spent || (isOneOfMany && outerOfAll >= PROBING_BUDGETS.spent)
  return {
    isCoarse: isFrozen || innerOfAll >= PROBING_BUDGETS.coarse,
    radiusBits: isClosed ? 0 : isFrozen ? radiusBits : undefined,
  }
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
