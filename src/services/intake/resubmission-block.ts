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
  /** For each picture, whether it is blocked from registration in cases. Cost: one request to the store. */
  blockedInCases(pictures: readonly (readonly Signal[])[]): Promise<boolean[]>
  /** A digest of the block of a picture in cases, or of one of its frames; `undefined` without any. */
  blockToAppeal(signals: readonly Signal[]): Promise<Buffer | undefined>
}

/** The change of resubmission blocks that a decision causes: sets a block, or lifts it. `undefined` when it causes none. */
export type BlockChangeOf = (
  image: RegisteredImage,
  orgId: string | undefined,
  outcome: 'invalidated' | 'harmless' | 'reinstated',
  atMs: number,
) => BlockChange | undefined

type Keyed = (signal: { readonly type: string; readonly hash: Uint8Array }) => Buffer

export function invalidatedSignals(store: ResubmissionBlocks, secret: Buffer, now: () => number): InvalidatedSignals {
  const keyed = keyedWith(secret)
  const blockedIn = async (holder: BlockChange['holder'], digests: readonly (readonly Buffer[])[]) => {
    const all = digests.flat()
    const isBlocked = (all.length === 0 ? [] : await store.among(holder, all, now())).values()
    return digests.map((own) => own.filter(() => isBlocked.next().value === true))
  }
  const identifying = (signals: readonly Signal[]) => wholeSignals(signals).map(keyed)
  const ofCase = (signals: readonly Signal[]) => [...pictureIn(signals).map(keyed), asTheSame(keyed, signals)]
  return {
    async blockedAmong(orgId, pictures) {
      if (orgId === undefined) return pictures.map(() => false)
      const blocked = await blockedIn({ orgId }, pictures.map(identifying))
      return pictures.map((signals, i) => isAllBlocked(signals, blocked[i]?.length ?? 0))
    },
    digestsOf: (pictures) => pictures.flatMap(identifying),
    blockedInCases: async (pictures) => (await blockedIn('cases', pictures.map(ofCase))).map(({ length }) => length > 0),
    async blockToAppeal(signals) {
      const [blocked = []] = await blockedIn('cases', [[...ofCase(signals), ...framesOf(keyed, signals)]])
      return blocked[0]
    },
  }
}

/**
 * A case's picture is blocked only if it was judged harmless. Without that block, withdrawing the case would undo the decision, and the same false
 * report could be made again. Other decisions end with the case and set no block. Signals of the deployment's own banks are never blocked, because
 * only operators write to them.
 *
 * The judgement is about what a platform saw, which may be one of several frames, or one of many hashes that somebody chose. The others must not keep a
 * person's picture out. So a single picture is blocked by its PDQ if it was sent as a file or has no other hash, and all else as the same set of hashes.
 * The digests of its frames only find the block in an appeal.
 */
export function createBlockChanges(secret: Buffer): BlockChangeOf {
  const keyed = keyedWith(secret)
  return ({ caseId, signals, isByHashes }, orgId, outcome, atMs) => {
    const holder = caseId !== undefined ? 'cases' : orgId === undefined ? undefined : { orgId }
    if (holder === undefined || (holder === 'cases' && outcome === 'invalidated')) return undefined
    const untilMs = outcome === 'reinstated' ? undefined : atMs + BLOCKED_FOR_MS
    if (holder !== 'cases') return { holder, digests: wholeSignals(signals).map(keyed), atMs, untilMs }
    const picture = isByHashes && signals.length > 1 ? [] : pictureIn(signals)
    const asSet = () => [asTheSame(keyed, signals), ...framesOf(keyed, signals)]
    return { holder, digests: picture.length > 0 ? picture.map(keyed) : asSet(), atMs, untilMs }
  }
}

/** The PDQ of a single picture; nothing for an animation, a video, or a picture without PDQ. */
function pictureIn(signals: readonly Signal[]): readonly Signal[] {
  const whole = wholeSignals(signals)
  return whole.length === 1 && whole[0]?.type === 'pdq' && whole[0].frame === undefined ? whole : []
}

/** A digest that only the same hashes together have, whatever their views are called. */
function asTheSame(keyed: Keyed, signals: readonly Signal[]): Buffer {
  const hashes = signals.map(({ type, hash }) => `${type} ${Buffer.from(hash).toString('base64')}`)
  return keyed({ type: 'same set', hash: Buffer.from([...new Set(hashes)].sort().join('\n')) })
}

function framesOf(keyed: Keyed, signals: readonly Signal[]): readonly Buffer[] {
  return wholeSignals(signals).map(({ type, hash }) => keyed({ type: `frame ${type}`, hash }))
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
