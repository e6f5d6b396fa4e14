// How much organisations may be told about a registered image. A query tells something about a stored hash only when it lies near an edge of
// the answer (domain/edges.ts), so these are counted: for each organisation and image, across an organisation's images, and for an image over all organisations.
// Neither what else is asked, nor in which order, route or type, changes a count; and nothing is evicted.

import { type Edge, isNearEdge } from '../../domain/matching/edges.js'
import type { ProbingCharge, ProbingCounts } from '../../store/trust/probing.js'
import type { Observation } from './observed.js'
import { type Account, createProbingAccounts, NOTHING, type OrgAccounts } from './probing-accounts.js'

/**
 * Counts of queries near an edge. Each such query tells at most one bit: of one image, an organisation is told at most 6 + 24 (decision 0114). What a platform asks is
 * chosen by whoever uploads to it, so no image alone has it suspended (decision 0114).
 */
export const PROBING_BUDGETS = {
  /** Near inner edges, by one organisation or by all: then the image is told coarsely. */
  coarse: 6,
  /** What a distance tells in place of its band: so many times as much, near an edge or not. */
  distance: 3,
  /** Near outer edges, by one organisation or by all: then its radius is replaced by a smaller one that nobody knows. */
  frozen: 18,
  /** The same: then the image is answered to exact hashes alone. */
  spent: 24,
  /** An organisation with less than this of its own is not held to account for others. */
  ownLeast: 3,
  /** Across all images of an organisation: then it is suspended. */
  across: 300,
  /** What a query that is not near an edge, of an image that is charged, takes from its charge: who does not search has many of them for each that is. Nothing, once the image is frozen. */
  credit: 0.4,
} as const

export interface TrustStatus {
  readonly isCoarse: boolean
  /** The radius in place of the bank's; 0 for exact hashes alone; `undefined` where the bank's holds. */
  readonly radiusBits: number | undefined
}

export interface ProbingBudget {
  /** Charges an organisation for what a query came near to. @returns what to wait for before `standingOf` may be asked; `undefined` for nothing. */
  charge(orgId: string, observations: readonly Observation[], knowsDistance: boolean): Promise<void> | undefined
  /** @returns `undefined` for an image that was never charged. */
  trustStatusOf(orgId: string, imageId: string): TrustStatus | undefined
  /** Is what an organisation may be told across all images spent? */
  isSpentAcross(orgId: string): boolean
  /** Charges an image at once, up to where its radius is replaced, or to where it is answered to exact hashes alone. */
  spend(orgId: string, imageId: string, upTo: 'frozen' | 'spent'): void
  /** After a suspension: takes a third of what is counted across images back, so that an operator may let the organisation in again. */
  forgive(orgId: string): void
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
/** Charges of a batch. */
const MAX_PER_BATCH = 500
export function createProbingBudget(parts: ProbingBudgetParts): ProbingBudget {
  const { counts, secret, now, onError, intervalMs = INTERVAL_MS } = parts
  const accounts = createProbingAccounts(secret)
  const asked = createAskedBefore()
  let flushing: Promise<void> = Promise.resolve()
  // Matching goes on while the store is unavailable: charges stay in memory and go with the next batch.
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
      for (const { imageId, edge: bare, distanceBits, marks } of observations) {
        const known = org.images.get(imageId)
        const isTold = knowsDistance && distanceBits !== undefined && distanceBits > 0
        const edge = edgeIn(known, bare === 'none' && isTold ? 'inner' : bare, distanceBits)
        const account = known ?? (edge === 'none' ? undefined : accounts.accountOf(orgId, org, imageId))
        if (!asked.isNew((account ?? org.across).seed, marks)) continue
        const isOuter = edge === 'outer' || edge === 'alone'
        if (edge !== 'alone') add(org, org.across, { outer: isOuter ? 1 : 0 })
        if (account === undefined) continue
        add(org, account, {
          outer: isOuter ? 1 : 0,
          inner: isTold ? PROBING_BUDGETS.distance : edge === 'inner' ? 1 : 0,
        })
        // What other processes have told is known before this answer tells anything: or each would have a budget of its own.
        const isTelling = isOuter || (edge === 'inner' && !trustStatusOf(account).isCoarse)
        if (!account.isLoaded || isTelling) hasToWait = true
      }
      return hasToWait ? flush() : undefined
    },
    trustStatusOf(orgId, imageId) {
      const account = accounts.orgs.get(orgId)?.images.get(imageId)
      return account && trustStatusOf(account)
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
    forgive(orgId) {
      const org = accounts.orgs.get(orgId)
      if (org === undefined || outerOf(org.across) < PROBING_BUDGETS.across) return
      org.across.pending.outer -= PROBING_BUDGETS.across / 3
      org.dirty.add(org.across)
    },
    flush,
    async close() {
      clearInterval(timer)
      await flush()
    },
  }
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
  if (outer === 0 && spent > 0 && (account === org.across || trustStatusOf(account).radiusBits === undefined))
    pending.credit += PROBING_BUDGETS.credit
  else if (outer === 0 && inner === 0) return
  org.dirty.add(account)
}

/** An image whose radius was replaced has one edge, which is that radius. */
function edgeIn(account: Account | undefined, edge: Edge, distanceBits: number | undefined): Edge {
  const radiusBits = account && trustStatusOf(account).radiusBits
  if (radiusBits === undefined) return edge
  return radiusBits > 0 && distanceBits !== undefined && isNearEdge(distanceBits, radiusBits) ? 'outer' : 'none'
}

function outerOf({ spent, pending }: Account): number {
  return Math.max(0, spent.outer - pending.credit) + pending.outer
}

function trustStatusOf(account: Account): TrustStatus {
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
 * Remembers what was asked lately, so that a hash that is asked again, and tells nothing new, is not charged again. Of a fixed size:
 * what is overwritten is charged again. Eight places for each slot: with one, a platform that asked about the same 4,000 copies every second
 * was charged anew for 1.5 % of them each time.
 */
function createAskedBefore() {
  const marks = new Uint32Array(1 << 17)
  const orientations = 8
  let oldest = 0
  return {
    isNew(seed: number, [one, other]: readonly [number, number]): boolean {
      const mixed = Math.imul(one ^ seed, 0x9e3779b1)
      const slot = (mixed ^ (mixed >>> 15)) & (marks.length - orientations)
      const mark = (Math.imul(other ^ seed, 0x85ebca6b) ^ one) >>> 0 || 1
      for (let i = slot; i < slot + orientations; i++) {
        if (marks[i] === mark) return false
        if (marks[i] !== 0) continue
        marks[i] = mark
        return true
      }
      oldest = (oldest + 1) % orientations
      marks[slot + oldest] = mark
      return true
    },
  }
}
