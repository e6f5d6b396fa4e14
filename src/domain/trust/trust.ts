// What organisations said about a signal, and what follows: its tier, whether it is disputed, whether it matches.
// Pure: a service reads the trust record, calls `act`, and writes the result back.

import type { ProblemCode } from '../problem.js'
import { circulating, held, isOver, released, standingPause } from './quarantine.js'
import { encodeSupport, type Support } from './tier.js'

/** What a platform decided about a copy. */
export const VERDICTS = ['blocked', 'not-blocked', 'pending-review', 'disputed'] as const
export type Verdict = (typeof VERDICTS)[number]

/** Allowed changes of a verdict. A platform may change its mind, but cannot go back to not having reviewed the copy. */
export const VERDICT_STEPS: Readonly<Record<Verdict | 'none', readonly Verdict[]>> = {
  none: VERDICTS,
  'pending-review': ['blocked', 'not-blocked', 'disputed'],
  blocked: ['not-blocked', 'disputed'],
  'not-blocked': ['blocked', 'disputed'],
  disputed: ['blocked', 'not-blocked'],
}

/** Why a signal should be removed. A fixed list, because free text could name a person. */
export const DISPUTE_REASONS = [
  'harmless-content',
  'published-with-consent',
  'public-interest',
  'not-the-person-shown',
  'other',
] as const
export type DisputeReason = (typeof DISPUTE_REASONS)[number]

/** The submitter's answer to a dispute, or that of the organisation acting for her. A fixed list for the same reason. */
export const DISPUTE_ANSWERS = ['shows-me-without-consent', 'added-by-mistake'] as const
export type DisputeAnswer = (typeof DISPUTE_ANSWERS)[number]

export const DISPUTE_STEPS = {
  none: ['open'],
  open: ['upheld', 'rejected'],
  /** The operator may reverse its decision. */
  upheld: ['rejected'],
  rejected: ['open'],
} as const satisfies Record<string, readonly string[]>
export type DisputeState = keyof typeof DISPUTE_STEPS
export const DISPUTE_STATES = ['none', 'open', 'upheld', 'rejected'] as const satisfies readonly DisputeState[]
export type DisputeOutcome = 'upheld' | 'rejected'

/**
 * - `matching`: matches normally.
 * - `narrowed`: matches only nearly unchanged copies (`isCopy` in `flood.ts`), until an operator decides.
 * - `held`: stored, but matches nothing until an operator or the owner releases it.
 * - `invalidated`: judged false. Matches nothing unless the decision is reversed.
 */
export const CIRCULATION_STEPS = {
  matching: ['narrowed', 'held', 'invalidated'],
  narrowed: ['matching', 'held', 'invalidated'],
  held: ['matching', 'narrowed', 'invalidated'],
  invalidated: ['matching'],
} as const satisfies Record<string, readonly string[]>
export type Circulation = keyof typeof CIRCULATION_STEPS
export const CIRCULATIONS = ['matching', 'narrowed', 'held', 'invalidated'] as const satisfies readonly Circulation[]

/**
 * Why an operator must decide before the signal matches normally again. `decoration`: some of its views do not match. `look-alikes` narrows it, the
 * others hold it.
 */
export const QUARANTINE_CAUSES = ['flood', 'look-alikes', 'operator', 'decoration'] as const
export type QuarantineCause = (typeof QUARANTINE_CAUSES)[number]
/** `owner`: the organisation that submitted the signal paused it, and decides itself when to resume. */
export const HOLD_CAUSES = [...QUARANTINE_CAUSES, 'owner'] as const
export type HoldCause = (typeof HOLD_CAUSES)[number]

/** A pause by the owner of the signal. */
export interface Pause {
  /** [Unix seconds] when it ends; 0 if it has no end. */
  readonly untilS: number
  readonly atMs: number
}

/** One organisation's verdict. `pseudonym` is a keyed hash of organisation and image, so a reader of the store learns no names. */
export interface PseudonymVerdict {
  readonly pseudonym: string
  readonly verdict: Verdict
  /** Does it count for the tier? Not from an NGO or from the submitter of the signal. */
  readonly counts: boolean
}

export interface Trust {
  readonly verdicts: readonly PseudonymVerdict[]
  /** Pseudonyms of the NGOs that attest it. */
  readonly attestedBy: readonly string[]
  readonly verifiedAtMs: number | undefined
  readonly dispute: DisputeState
  /** Reasons of the open dispute, or of the last one that was decided. */
  readonly reasons: readonly DisputeReason[]
  /** Reasons that were rejected. They cannot be raised again. */
  readonly settled: readonly DisputeReason[]
  readonly disputedAtMs: number | undefined
  readonly decidedAtMs: number | undefined
  /** Answer to the open dispute, or to the last one that was decided. A later answer replaces an earlier one. */
  readonly answer?: DisputeAnswer | undefined
  readonly circulation: Circulation
  /** Set while in quarantine, until an operator releases it. */
  readonly heldFor: QuarantineCause | undefined
  readonly heldAtMs: number | undefined
  /** Views that do not match while in quarantine (`flood.ts`). */
  readonly stoppedViews: readonly number[]
  /** Independent of a quarantine: ending one leaves the other in force. */
  readonly pause?: Pause | undefined
  /** Height of the flood (`flood.ts`) that it is quarantined for, and of the largest flood that an operator tolerated. 0 for none. */
  readonly flood: number
  readonly toleratedFlood: number
}

/** What every index must know about a signal. The tier is derived from this and from the registered tier; it is stored nowhere. */
export interface TrustStatus {
  /** As `encodeSupport` writes it. */
  readonly support: number
  readonly disputed: boolean
  readonly matches: boolean
  /** If it matches, does it match only copies? */
  readonly narrowed: boolean
  /** As in `Trust`. */
  readonly stoppedViews: readonly number[]
  /** Judged harmless: it acts as an allowlist entry for as long as it is kept. */
  readonly harmless: boolean
}

export const NO_TRUST_STATUS: TrustStatus = {
  support: 0,
  disputed: false,
  matches: true,
  narrowed: false,
  stoppedViews: [],
  harmless: false,
}

export type TrustAction =
  | {
      readonly kind: 'verdict'
      readonly pseudonym: string
      readonly verdict: Exclude<Verdict, 'disputed'>
      readonly counts: boolean
    }
  | { readonly kind: 'dispute'; readonly pseudonym: string; readonly reason: DisputeReason; readonly counts: boolean }
  | { readonly kind: 'attest'; readonly pseudonym: string }
  | { readonly kind: 'verify' }
  | { readonly kind: 'decide'; readonly outcome: DisputeOutcome }
  | { readonly kind: 'answer'; readonly answer: DisputeAnswer }
  /** Reverses an upheld dispute. */
  | { readonly kind: 'reinstate' }
  | Hold
  | { readonly kind: 'release' }
  /** By the owner of the signal, as is `resume`. */
  | { readonly kind: 'pause'; readonly untilS: number }
  /** `ifDue`: sent by the expiry schedule. It applies only if the current pause has ended. */
  | { readonly kind: 'resume'; readonly ifDue?: true }

/** Why a signal is put into quarantine. `view`: which one is stopped. */
export type HoldReason =
  | { readonly cause: Exclude<QuarantineCause, 'decoration'>; readonly flood: number }
  | { readonly cause: 'decoration'; readonly flood: number; readonly view: number }
export type Hold = HoldReason & { readonly kind: 'hold' }

export const NO_TRUST: Trust = {
  verdicts: [],
  attestedBy: [],
  verifiedAtMs: undefined,
  dispute: 'none',
  reasons: [],
  settled: [],
  disputedAtMs: undefined,
  decidedAtMs: undefined,
  circulation: 'matching',
  heldFor: undefined,
  heldAtMs: undefined,
  stoppedViews: [],
  flood: 0,
  toleratedFlood: 0,
}

/** @returns the trust after the action: the same object if nothing changes, a problem code if the tables above forbid the step. */
export function act(trust: Trust, action: TrustAction, nowMs: number): Trust | ProblemCode {
  if (trust.circulation === 'invalidated' && action.kind !== 'reinstate')
    return isSettledAlready(trust, action) ? trust : 'signal-invalidated'
  switch (action.kind) {
    case 'verdict':
      return withVerdict(trust, action)
    case 'dispute':
      return withDispute(trust, action, nowMs)
    case 'attest':
      if (trust.attestedBy.includes(action.pseudonym)) return trust
      return { ...trust, attestedBy: [...trust.attestedBy, action.pseudonym] }
    case 'verify':
      return trust.verifiedAtMs === undefined ? { ...trust, verifiedAtMs: nowMs } : trust
    case 'decide':
      return decided(trust, action.outcome, nowMs)
    case 'answer':
      if (trust.dispute !== 'open') return 'dispute-not-open'
      return trust.answer === action.answer ? trust : { ...trust, answer: action.answer }
    case 'reinstate':
      return reinstated(trust, nowMs)
    case 'hold':
      return held(trust, action, nowMs)
    case 'release':
      return released(trust, nowMs)
    case 'pause':
      if (trust.pause?.untilS === action.untilS) return trust
      return circulating(trust, { untilS: action.untilS, atMs: nowMs })
    case 'resume':
      if (trust.pause === undefined || (action.ifDue === true && !isOver(trust.pause, nowMs))) return trust
      return circulating(trust, undefined)
  }
}

export function trustStatusOf(trust: Trust): TrustStatus {
  const isInvalidated = trust.circulation === 'invalidated'
  return {
    support: encodeSupport(supportOf(trust)),
    disputed: trust.dispute === 'open',
    matches: trust.circulation === 'matching' || trust.circulation === 'narrowed',
    narrowed: trust.circulation === 'narrowed',
    stoppedViews: trust.stoppedViews,
    harmless: isInvalidated && trust.reasons.includes('harmless-content'),
  }
}

/** @returns the support of a signal, without its registered tier. */
export function supportOf({ verdicts, attestedBy, verifiedAtMs }: Trust): Support {
  const count = (wanted: Verdict) => verdicts.filter(({ verdict, counts }) => counts && verdict === wanted).length
  return {
    verifications: verifiedAtMs === undefined ? 0 : 1,
    attestations: attestedBy.length,
    confirmations: count('blocked'),
    notBlocked: count('not-blocked'),
  }
}

export function verdictOf(trust: Trust, pseudonym: string): Verdict | undefined {
  return trust.verdicts.find((each) => each.pseudonym === pseudonym)?.verdict
}

/** On an invalidated signal only a reversal is allowed. Repeating the decision or the scheduled end of a pause changes nothing. */
function isSettledAlready(trust: Trust, action: TrustAction): boolean {
  if (action.kind === 'resume') return action.ifDue === true
  return trust.dispute === 'upheld' && action.kind === 'decide' && action.outcome === 'upheld'
}

function withVerdict(trust: Trust, said: PseudonymVerdict): Trust | ProblemCode {
  const before = verdictOf(trust, said.pseudonym)
  if (before === said.verdict) return trust
  if (!VERDICT_STEPS[before ?? 'none'].includes(said.verdict)) return 'feedback-conflict'
  const { pseudonym, verdict, counts } = said
  return {
    ...trust,
    verdicts: [...trust.verdicts.filter((each) => each.pseudonym !== pseudonym), { pseudonym, verdict, counts }],
  }
}

function withDispute(
  trust: Trust,
  { pseudonym, reason, counts }: { readonly pseudonym: string; readonly reason: DisputeReason; readonly counts: boolean },
  nowMs: number,
): Trust | ProblemCode {
  if (trust.settled.includes(reason)) return 'dispute-settled'
  const heard = withVerdict(trust, { pseudonym, verdict: 'disputed', counts })
  if (typeof heard === 'string') return heard
  if (trust.dispute === 'open') {
    return trust.reasons.includes(reason) ? heard : { ...heard, reasons: [...trust.reasons, reason] }
  }
  return { ...heard, dispute: 'open', reasons: [reason], disputedAtMs: nowMs, decidedAtMs: undefined, answer: undefined }
}

function decided(trust: Trust, outcome: DisputeOutcome, nowMs: number): Trust | ProblemCode {
  if (trust.dispute === outcome) return trust
  if (trust.dispute !== 'open') return 'dispute-not-open'
  if (outcome === 'upheld')
    return {
      ...{ ...trust, dispute: 'upheld', decidedAtMs: nowMs, circulation: 'invalidated' },
      ...{ heldFor: undefined, stoppedViews: [] },
    }
  return rejected(trust, nowMs)
}

/** As if the dispute had been rejected: its reasons cannot be raised again, and the signal matches, unless its owner paused it. */
function reinstated(trust: Trust, nowMs: number): Trust | ProblemCode {
  if (trust.dispute === 'rejected') return trust
  if (trust.circulation !== 'invalidated') return 'signal-not-invalidated'
  return circulating({ ...rejected(trust, nowMs), heldAtMs: undefined }, standingPause(trust, nowMs))
}

function rejected(trust: Trust, nowMs: number): Trust {
  return { ...trust, dispute: 'rejected', decidedAtMs: nowMs, settled: [...trust.settled, ...trust.reasons] }
}
