// Blocks pictures that were judged false from being submitted again, for a time, by a keyed digest. A block applies to the organisation that
// submitted the picture. If the picture was judged harmless, it applies to every case.

import { createHmac } from 'node:crypto'
import { ownSignalsOf, type RegisteredImage, type Signal } from '../../../packages/core/src/matching/signal.js'
import { BLOCKED_FOR_MS } from '../../domain/trust/strikes.js'
import type { BlockChange, ResubmissionBlocks } from '../../store/organisations/resubmission-blocks.js'

export interface InvalidatedSignals {
  /**
   * For each picture, given by all its signals: is the organisation blocked from submitting it? Never for `undefined`, the deployment. Cost: one
   * request to the store.
   */
  blockedAmong(orgId: string | undefined, pictures: readonly (readonly Signal[])[]): Promise<boolean[]>
  /** The keyed digests of all signals that identify these pictures. If none is blocked, no picture is. */
  digestsOf(pictures: readonly (readonly Signal[])[]): Buffer[]
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

export function invalidatedSignals(store: ResubmissionBlocks, secret: Buffer, now: () => number): InvalidatedSignals {
  const keyed = keyedWith(secret)
  const blocksIn = async (holder: BlockChange['holder'], pictures: readonly (readonly Signal[])[]) => {
    const digests = pictures.map((signals) => wholeSignals(signals).map(keyed))
    const all = digests.flat()
    const isBlocked = (all.length === 0 ? [] : await store.among(holder, all, now())).values()
    return pictures.map((signals, i) => {
      const own = digests[i] ?? []
      const blocked = own.filter(() => isBlocked.next().value === true)
      return isAllBlocked(signals, blocked.length) ? blocked[0] : undefined
    })
  }
  return {
    async blockedAmong(orgId, pictures) {
      if (orgId === undefined) return pictures.map(() => false)
      return (await blocksIn({ orgId }, pictures)).map((block) => block !== undefined)
    },
    digestsOf: (pictures) => pictures.flatMap((signals) => wholeSignals(signals).map(keyed)),
    blocksOf: (pictures) => blocksIn('cases', pictures),
  }
}

/**
 * A case's picture is blocked only if it was judged harmless. Without that block, withdrawing the case would undo the decision, and the same false
 * report could be made again. Other decisions end with the case and set no block. Signals of the deployment's own banks are never blocked, because
 * only operators write to them.
 */
export function createBlockChanges(secret: Buffer): BlockChangeOf {
  const keyed = keyedWith(secret)
  return ({ caseId, signals }, orgId, outcome, atMs) => {
    const holder = caseId !== undefined ? 'cases' : orgId === undefined ? undefined : { orgId }
    if (holder === undefined || (holder === 'cases' && outcome === 'invalidated')) return undefined
    const untilMs = outcome === 'reinstated' ? undefined : atMs + BLOCKED_FOR_MS
    return { holder, digests: wholeSignals(signals).map(keyed), atMs, untilMs }
  }
}

/** An animation or video is blocked only if all of its frames are blocked: one harmless frame must not keep the others out. */
function isAllBlocked(signals: readonly Signal[], blocked: number): boolean {
  const whole = wholeSignals(signals)
  return blocked > 0 && (whole[0]?.type !== 'pdq' || blocked === whole.length)
}

/** The signals that identify a picture: PDQ of the whole view, one per frame; without PDQ, all signals of the whole view. */
function wholeSignals(signals: readonly Signal[]): readonly Signal[] {
  const whole = ownSignalsOf(signals).filter(({ view }) => view === 'whole')
  const pdq = whole.filter(({ type }) => type === 'pdq')
  return pdq.length > 0 ? pdq : whole
}

function keyedWith(secret: Buffer): Keyed {
  return ({ type, hash }) =>
    createHmac('sha256', secret).update(`invalidated\0${type}\0`).update(hash).digest().subarray(0, 16)
}
