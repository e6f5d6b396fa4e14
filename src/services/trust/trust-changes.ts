// Applies one action to a signal: reads its trust record, applies the domain's rules, writes the outcome and its audit entry.

import type { RegisteredImage } from '../../../packages/core/src/matching/signal.js'
import type { AuditActor, AuditEntry } from '../../domain/organisations/audit.js'
import { Problem, type ProblemCode } from '../../domain/problem.js'
import { act, isMistake, type Trust, type TrustAction, trustStatusOf } from '../../domain/trust/trust.js'
import type { Images } from '../../store/images/images.js'
import { createConflictRetry } from '../../store/redis/conflict-retry.js'
import type { Trusts } from '../../store/trust/trust.js'
import type { Replica } from '../index/replica.js'
import type { BlockChangeOf } from '../intake/resubmission-block.js'

/** A change of a signal's trust record. `onChange` is called when it is on disk. */
export interface TrustChange {
  readonly imageId: string
  readonly image: RegisteredImage
  readonly action: TrustAction
  readonly before: Trust
  readonly after: Trust
  /** The organisation that acted; `undefined` when it was Tabir itself, or its operator at the command line. */
  readonly orgId: string | undefined
  readonly atMs: number
}

export interface TrustChangeParts {
  readonly trusts: Trusts
  readonly images: Images
  readonly replica: Pick<Replica, 'reached'>
  /** The organisation that registered an image. */
  readonly ownerOf: OwnerOf
  readonly blockChangeOf: BlockChangeOf
  readonly now: () => number
  /**
   * Called with each change, in order. Also called with a repeated decision or verdict (`before` is `after`): a crash may have interrupted its effects,
   * and a deadline that began since must end.
   */
  readonly onChange: (change: TrustChange) => Promise<void>
}

/** The organisation that registered an image; `undefined` when no organisation did. */
export type OwnerOf = (image: RegisteredImage) => Promise<string | undefined>

/** A signal with its trust record. */
export interface SignalWithTrust {
  readonly imageId: string
  readonly image: RegisteredImage
  readonly trust: Trust
}

/** A requested change: the actor, the action and the signal. */
export interface RequestedChange {
  readonly imageId: string | undefined
  /** The acting organisation; `undefined` for Tabir itself, or its operator at the command line. */
  readonly orgId?: string | undefined
  readonly by: AuditActor
  /** The problem code if there is no such image. */
  readonly unknown: ProblemCode
  readonly action: TrustAction
  /** The case for which an organisation acts. Refused with `case-unknown` once the case was handed over. */
  readonly assistedCase?: string | undefined
}

/** @throws {Problem} `unknown`, when there is no such image. */
export async function readSignal(
  { trusts, images }: Pick<TrustChangeParts, 'trusts' | 'images'>,
  imageId: string | undefined,
  unknown: ProblemCode,
) {
  if (imageId === undefined) throw new Problem(unknown)
  // The trust record is read first. It is deleted together with the image, so if it were read second, it could be missing for an image that was
  // found.
  const said = await trusts.get(imageId)
  const [image] = await images.get([imageId])
  if (image === undefined) throw new Problem(unknown)
  return { imageId, image, ...said }
}

/**
 * Applies an action. Tries again if another write came in between. This process has applied the change when it returns.
 * @throws {Problem} `unknown`; the code with which the rules refuse the action; case-unknown if `assistedCase` was handed over.
 */
export async function changeSignal(parts: TrustChangeParts, asked: RequestedChange): Promise<SignalWithTrust> {
  const { trusts, replica, now, onChange } = parts
  const { imageId, orgId, by, unknown, action, assistedCase } = asked
  for (const retry = createConflictRetry(); ; await retry()) {
    const found = await readSignal(parts, imageId, unknown)
    const atMs = now()
    const after = act(found.trust, action, atMs)
    if (typeof after === 'string') throw new Problem(after)
    const change = { imageId: found.imageId, image: found.image, action, before: found.trust, after, orgId, atMs }
    if (after === found.trust) {
      if (REPEATED.includes(action.kind)) await onChange(change)
      return { ...found, trust: after }
    }
    const outcome = await trusts.put(found.imageId, found.version, after, trustStatusOf(after), {
      entry: entryOf(action, found, by, atMs),
      blockChange: await blockChangeFor(parts, found.image, found.trust, after, atMs),
      assistedCase,
    })
    if (outcome === 'image-unknown') throw new Problem(unknown)
    if (outcome === 'handed-over') throw new Problem('case-unknown')
    if (outcome === 'changed-meanwhile') continue
    await replica.reached(outcome.revision)
    await onChange(change)
    return { imageId: found.imageId, image: found.image, trust: after }
  }
}

/** Actions with effects beyond the signal, which a repeat completes. */
const REPEATED: readonly TrustAction['kind'][] = ['decide', 'reinstate', 'verdict', 'dispute']

/** The change of resubmission blocks, which is written together with the decision; `undefined` if there is none. A block outlives the signal. */
async function blockChangeFor(
  { blockChangeOf, ownerOf }: Pick<TrustChangeParts, 'blockChangeOf' | 'ownerOf'>,
  image: RegisteredImage,
  before: Trust,
  after: Trust,
  atMs: number,
) {
  const isInvalidated = after.circulation === 'invalidated'
  if (isInvalidated === (before.circulation === 'invalidated') || (isInvalidated && isMistake(after))) return undefined
  const invalidatedAs = trustStatusOf(after).harmless ? 'harmless' : 'invalidated'
  return blockChangeOf(image, await ownerOf(image), isInvalidated ? invalidatedAs : 'reinstated', atMs)
}

/**
 * The audit entry of an action, which is written together with it. Verdicts have none, because they are too many. They are counted instead. An image of a
 * case is paused with its case only, which has an entry of its own: entries for each would tell by their time, also after the case is forgotten, which
 * images are one person's.
 */
function entryOf(
  action: TrustAction,
  { imageId: signalId, image }: Pick<SignalWithTrust, 'imageId' | 'image'>,
  by: AuditActor,
  atMs: number,
): AuditEntry | undefined {
  if ((action.kind === 'pause' || action.kind === 'resume') && image.caseId !== undefined) return undefined
  switch (action.kind) {
    case 'verdict':
      return undefined
    case 'dispute':
      return { act: 'signal.disputed', by, about: { signalId, reason: action.reason }, atMs }
    case 'attest':
      return { act: 'signal.attested', by, about: { signalId }, atMs }
    case 'verify':
      return { act: 'signal.verified', by, about: { signalId }, atMs }
    case 'answer':
      return { act: 'dispute.answered', by, about: { signalId, answer: action.answer }, atMs }
    case 'decide':
      return { act: 'dispute.decided', by, about: { signalId, outcome: action.outcome }, atMs }
    case 'reinstate':
      return { act: 'dispute.reversed', by, about: { signalId }, atMs }
    case 'hold':
      return { act: 'signal.held', by, about: { signalId, cause: action.cause }, atMs }
    case 'pause':
      return { act: 'signal.held', by, about: { signalId, cause: 'owner' }, atMs }
    case 'release':
    case 'resume':
      return { act: 'signal.released', by, about: { signalId }, atMs }
  }
}
