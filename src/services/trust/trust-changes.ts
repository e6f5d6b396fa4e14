// Applies one action to a signal: reads what was said about it, lets the rules of the domain decide, writes the outcome and its audit entry.

import type { RegisteredImage } from '../../domain/matching/signal.js'
import type { AuditActor, AuditEntry } from '../../domain/organisations/audit.js'
import { Problem, type ProblemCode } from '../../domain/problem.js'
import { act, type Trust, type TrustAction, trustStatusOf } from '../../domain/trust/trust.js'
import type { Images } from '../../store/images/images.js'
import { untilUnchanged } from '../../store/redis/latest.js'
import type { Trusts } from '../../store/trust/trust.js'
import type { Replica } from '../index/replica.js'
import type { RefusalOf } from '../intake/resubmission-block.js'

/** What was said, before and after. Told to others once it is on disk. */
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
  /** The organisation that handed an image in. */
  readonly ownerOf: OwnerOf
  readonly refusalOf: RefusalOf
  readonly now: () => number
  /** Called with each change, in order. A decision that is repeated is told again, so that what a crash interrupted is made up for. */
  readonly onChange: (change: TrustChange) => Promise<void>
}

export type OwnerOf = (image: RegisteredImage) => Promise<string | undefined>

/** A signal with what is said about it. */
export interface SaidSignal {
  readonly imageId: string
  readonly image: RegisteredImage
  readonly trust: Trust
}

/** Who does what to which signal. */
export interface AskedChange {
  readonly imageId: string | undefined
  /** `undefined` for Tabir itself, or its operator at the command line. */
  readonly orgId?: string | undefined
  readonly by: AuditActor
  /** The problem when there is no such image. */
  readonly unknown: ProblemCode
  readonly action: TrustAction
  /** The case on whose behalf an organisation acts: refused with `case-unknown` once the case was handed over. */
  readonly assistedCase?: string | undefined
}

/** @throws {Problem} `unknown`, when there is no such image. */
export async function readSignal(
  { trusts, images }: Pick<TrustChangeParts, 'trusts' | 'images'>,
  imageId: string | undefined,
  unknown: ProblemCode,
) {
  if (imageId === undefined) throw new Problem(unknown)
  // In this order: what was said goes with the image. Read after it, it could be missing for an image that was there.
  const said = await trusts.get(imageId)
  const [image] = await images.get([imageId])
  if (image === undefined) throw new Problem(unknown)
  return { imageId, image, ...said }
}

/** Repeats until nobody else wrote in between. Known to this process when it returns. @throws {Problem} `unknown`, or what the rules refuse with. */
export async function changeSignal(parts: TrustChangeParts, asked: AskedChange): Promise<SaidSignal> {
  const { trusts, replica, now, onChange } = parts
  const { imageId, orgId, by, unknown, action, assistedCase } = asked
  for (const again = untilUnchanged(); ; await again()) {
    const found = await readSignal(parts, imageId, unknown)
    const atMs = now()
    const after = act(found.trust, action, atMs)
    if (typeof after === 'string') throw new Problem(after)
    const told = { imageId: found.imageId, image: found.image, action, before: found.trust, after, orgId, atMs }
    if (after === found.trust) {
      if (action.kind === 'decide' || action.kind === 'reinstate') await onChange(told)
      return { ...found, trust: after }
    }
    const outcome = await trusts.put(found.imageId, found.version, after, trustStatusOf(after), {
      entry: entryOf(action, found.imageId, by, atMs),
      refusal: await refusalFor(parts, found.image, found.trust, after, atMs),
      assistedCase,
    })
    if (outcome === 'image-unknown') throw new Problem(unknown)
    if (outcome === 'handed-over') throw new Problem('case-unknown')
    if (outcome === 'changed-meanwhile') continue
    await replica.reached(outcome.revision)
    await onChange(told)
    return { imageId: found.imageId, image: found.image, trust: after }
  }
}

/** Written in the same step as the decision: from then on the owner cannot hand the image in again, whatever becomes of this signal. */
async function refusalFor(
  { refusalOf, ownerOf }: Pick<TrustChangeParts, 'refusalOf' | 'ownerOf'>,
  image: RegisteredImage,
  before: Trust,
  after: Trust,
  atMs: number,
) {
  const isInvalidated = after.circulation === 'invalidated'
  if (isInvalidated === (before.circulation === 'invalidated')) return undefined
  const invalidatedAs = trustStatusOf(after).harmless ? 'harmless' : 'invalidated'
  return refusalOf(image, await ownerOf(image), isInvalidated ? invalidatedAs : 'reinstated', atMs)
}

/** The audit entry of an action, written in the same step. Verdicts have none: they are many, and kept as counts. */
function entryOf(action: TrustAction, signalId: string, by: AuditActor, atMs: number): AuditEntry | undefined {
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
