// Blocks pictures that were judged false from being submitted again, for a time, by a keyed digest. A block applies to the organisation that
// submitted the picture. If the picture was judged harmless, it applies to every case.

import { createHmac } from 'node:crypto'
import type { RegisteredImage, Signal } from '../../domain/matching/signal.js'
import { REFUSED_FOR_MS } from '../../domain/trust/strikes.js'
import type { BlockChange, ResubmissionBlocks } from '../../store/organisations/resubmission-blocks.js'

export interface InvalidatedSignals {
  /** The signals that an organisation may not submit again. Only whole views are checked. Cost: one request to the store. */
  blockedAmong(orgId: string | undefined, signals: readonly Signal[]): Promise<ReadonlySet<Signal>>
  /** The keyed digests of the signals with a whole view. */
  digestsOf(signals: readonly Signal[]): Buffer[]
  /** Is the organisation blocked from submitting this picture? */
  refuses(orgId: string | undefined, signals: readonly Signal[]): Promise<boolean>
  /** For each picture, the digest of its block on registration in cases; `undefined` without a block. Cost: one request to the store. */
  blocksOf(pictures: readonly (readonly Signal[])[]): Promise<(Buffer | undefined)[]>
}

/** The change of resubmission blocks that a decision causes: sets a block, or lifts it. `undefined` when it causes none. */
export type BlockChangeOf = (
  image: RegisteredImage,
  orgId: string | undefined,
  outcome: 'invalidated' | 'harmless' | 'reinstated',
  atMs: number,
) => BlockChange | undefined

type Keyed = (signal: Pick<Signal, 'type' | 'hash'>) => Buffer

export function invalidatedSignals(refusals: ResubmissionBlocks, secret: Buffer, now: () => number): InvalidatedSignals {
  const keyed = keyedWith(secret)
  const blockedAmong = async (orgId: string | undefined, signals: readonly Signal[]): Promise<ReadonlySet<Signal>> => {
    const whole = orgId === undefined ? [] : signals.filter(({ view }) => view === 'whole')
    if (orgId === undefined || whole.length === 0) return new Set()
    const refused = await refusals.among({ orgId }, whole.map(keyed), now())
    return new Set(whole.filter((_, i) => refused[i]))
  }
  const blocksOf = async (pictures: readonly (readonly Signal[])[]) => {
    const digests = pictures.map((signals) => wholeSignals(signals).map(keyed))
    const isBlocked = (await refusals.among('cases', digests.flat(), now())).values()
    return pictures.map((signals, i) => {
      const own = digests[i] ?? []
      const blocked = own.filter(() => isBlocked.next().value === true)
      return isAllBlocked(signals, blocked.length) ? blocked[0] : undefined
    })
  }
  return {
    blockedAmong,
    digestsOf: (signals) => signals.filter(({ view }) => view === 'whole').map(keyed),
    refuses: async (orgId, signals) => isAllBlocked(signals, (await blockedAmong(orgId, wholeSignals(signals))).size),
    blocksOf,
  }
}

/**
 * A case's picture is blocked only if it was judged harmless. Without that block, withdrawing the case would undo the decision, and the same false
 * report could be made again. Other decisions end with the case and set no block. Signals of the deployment's own banks are never blocked, because
 * only operators write to them.
 */
export function createResubmissionDigests(secret: Buffer): BlockChangeOf {
  const keyed = keyedWith(secret)
  return ({ caseId, signals }, orgId, outcome, atMs) => {
    const holder = caseId !== undefined ? 'cases' : orgId === undefined ? undefined : { orgId }
    if (holder === undefined || (holder === 'cases' && outcome === 'invalidated')) return undefined
    const untilMs = outcome === 'reinstated' ? undefined : atMs + REFUSED_FOR_MS
    return { holder, digests: wholeSignals(signals).map(keyed), atMs, untilMs }
  }
}

/** An animation is blocked only if all of its frames are blocked: one harmless frame must not keep the others out. */
function isAllBlocked(signals: readonly Signal[], blocked: number): boolean {
  const whole = wholeSignals(signals)
  return blocked > 0 && (whole[0]?.type !== 'pdq' || blocked === whole.length)
}

/** The signals that identify a picture: PDQ of the whole view, one per frame; without PDQ, all signals of the whole view. */
function wholeSignals(signals: readonly Signal[]): readonly Signal[] {
  const whole = signals.filter(({ view }) => view === 'whole')
  const pdq = whole.filter(({ type }) => type === 'pdq')
  return pdq.length > 0 ? pdq : whole
}

function keyedWith(secret: Buffer): Keyed {
  return ({ type, hash }) =>
    createHmac('sha256', secret).update(`invalidated\0${type}\0`).update(hash).digest().subarray(0, 16)
}
