// What organisations said about a signal, and the consequences: its tier, whether it is disputed, whether it matches.
// Pure functions: a service reads the trust record, calls `act`, and writes the result back.

import type { ProblemCode } from '../problem.js'
import { type Circulation, type Hold, type Pause, type QuarantineCause, STOPS } from './quarantine.js'
import { encodeSupport, type Support } from './tier.js'
import { VERDICT_STEPS, type Verdict } from './verdict.js'

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

/** The last dispute of a signal. The operator may reverse `upheld`; after `rejected` another reason opens a new one. */
export const DISPUTE_STATES = ['none', 'open', 'upheld', 'rejected'] as const
export type DisputeState = (typeof DISPUTE_STATES)[number]
export type DisputeOutcome = 'upheld' | 'rejected'

/** One organisation's verdict. `pseudonym` is a keyed hash of organisation and image, so a reader of the store learns no names. */
export interface PseudonymVerdict {
  readonly pseudonym: string
  readonly verdict: Verdict
  /** Whether it counts for the tier. Verdicts of NGOs and of the submitter do not. */
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
  /** Height of the flood (`flood.ts`) that caused the quarantine, and of the largest flood that an operator tolerated. 0 for none. */
  readonly flood: number
  readonly toleratedFlood: number
}

/** What every index must know about a signal. The tier is not stored, but derived from this and from the registered tier. */
export interface TrustStatus {
  /** As `encodeSupport` writes it. */
  readonly support: number
  readonly disputed: boolean
  readonly matches: boolean
  /** Whether it matches only copies. */
  readonly narrowed: boolean
  /** As in `Trust`. */
  readonly stoppedViews: readonly number[]
  /** Judged harmless: copies are refused in cases for as long as it is kept. */
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

/**
 * @param nowMs [epoch ms].
 * @returns the trust after the action: the same object if nothing changes; a problem code if the step is forbidden.
 */
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

/** Puts a signal into quarantine. @returns the same object if it is already in one that stops as much. */
function held(trust: Trust, action: Hold, nowMs: number): Trust {
  const { heldFor, stoppedViews } = trust
  const isFurtherView = action.cause === 'decoration' && heldFor === 'decoration' && !stoppedViews.includes(action.view)
  if (heldFor !== undefined && STOPS[action.cause] <= STOPS[heldFor] && !isFurtherView) return trust
  const stopped = action.cause === 'decoration' ? [...stoppedViews, action.view] : stoppedViews
  const next = { ...trust, heldFor: action.cause, heldAtMs: nowMs, stoppedViews: stopped, flood: action.flood }
  return circulating(next, trust.pause)
}

/** Sets the pause and the circulation that follows. The signal must not be invalidated. */
function circulating(trust: Trust, pause: Trust['pause'], { heldFor } = trust): Trust {
  if (pause !== undefined) return { ...trust, pause, circulation: 'held' }
  const isMatching = heldFor === undefined || heldFor === 'decoration'
  const circulation = isMatching ? 'matching' : heldFor === 'look-alikes' ? 'narrowed' : 'held'
  return { ...trust, pause, circulation }
}

/** Ends a quarantine. */
function released(trust: Trust, nowMs: number): Trust | ProblemCode {
  if (trust.heldFor === undefined) return 'quarantine-conflict'
  const toleratedFlood = Math.max(trust.toleratedFlood, trust.flood)
  const free = { ...trust, heldFor: undefined, heldAtMs: undefined, stoppedViews: [], flood: 0, toleratedFlood }
  return circulating(free, standingPause(trust, nowMs))
}

/** A pause that has ended no longer counts, even before the expiry schedule has removed it. */
function standingPause({ pause }: Trust, nowMs: number): Trust['pause'] {
  return pause === undefined || isOver(pause, nowMs) ? undefined : pause
}

function isOver({ untilS }: { readonly untilS: number }, nowMs: number): boolean {
  return untilS !== 0 && untilS * 1000 <= nowMs
}

/** @returns when [Unix seconds] the current pause ends; `undefined` if it has no end, or the signal is not paused. */
export function pauseEndsS({ circulation, pause }: Trust): number | undefined {
  return circulation === 'held' && pause !== undefined && pause.untilS !== 0 ? pause.untilS : undefined
}

/** @returns when [Unix seconds] a pause ends after which the signal matches again; 0 if no such time is set; `undefined` if it matches now. */
export function silentUntilS(trust: Trust): number | undefined {
  if (trustStatusOf(trust).matches) return undefined
  const isOnlyPaused = trust.circulation === 'held' && circulating(trust, undefined).circulation !== 'held'
  return isOnlyPaused ? (trust.pause?.untilS ?? 0) : 0
}

export function trustStatusOf(trust: Trust): TrustStatus {
  return {
    support: encodeSupport(supportOf(trust)),
    disputed: trust.dispute === 'open',
    matches: trust.circulation === 'matching' || trust.circulation === 'narrowed',
    narrowed: trust.circulation === 'narrowed',
    stoppedViews: trust.stoppedViews,
    harmless: trust.circulation === 'invalidated' && !isMistake(trust) && trust.reasons.includes('harmless-content'),
  }
}

/** Whether its submitter added it by mistake. Then a decision removes the entry and judges neither the picture nor her. */
export const isMistake = ({ answer }: Pick<Trust, 'answer'>): boolean => answer === 'added-by-mistake'

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

/** An invalidated signal allows only `reinstate`. Repeating the decision, or the scheduled end of a pause, changes nothing. */
function isSettledAlready(trust: Trust, action: TrustAction): boolean {
  if (action.kind === 'resume') return action.ifDue === true
  return trust.dispute === 'upheld' && action.kind === 'decide' && action.outcome === 'upheld'
}

function withVerdict(trust: Trust, said: PseudonymVerdict): Trust | ProblemCode {
  const before = verdictOf(trust, said.pseudonym)
  // A program stops every further copy. That does not replace what a person decided.
  if (before === said.verdict || (before !== undefined && said.verdict === 'auto-blocked')) return trust
  if (!VERDICT_STEPS[before ?? 'none'].includes(said.verdict)) return 'feedback-conflict'
  const { pseudonym, verdict, counts } = said
  const verdicts = [...trust.verdicts.filter((each) => each.pseudonym !== pseudonym), { pseudonym, verdict, counts }]
  const isDropped =
    before === 'disputed' && trust.dispute === 'open' && !verdicts.some((each) => each.verdict === 'disputed')
  return { ...trust, verdicts, ...(isDropped && NO_DISPUTE) }
}

/** A dispute whose last supporter gave another verdict. Nothing was decided, so its reasons can be raised again. */
const NO_DISPUTE = { dispute: 'none', reasons: [], disputedAtMs: undefined, answer: undefined } as const

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
  if (outcome === 'rejected') return rejected(trust, nowMs)
  const free = { ...trust, heldFor: undefined, stoppedViews: [] }
  return { ...free, dispute: 'upheld', decidedAtMs: nowMs, circulation: 'invalidated' }
}

/** Reverses an upheld dispute, as if it had been rejected. Its reasons cannot be raised again. The signal matches unless its owner paused it. */
function reinstated(trust: Trust, nowMs: number): Trust | ProblemCode {
  if (trust.dispute === 'rejected') return trust
  if (trust.circulation !== 'invalidated') return 'signal-not-invalidated'
  return circulating({ ...rejected(trust, nowMs), heldAtMs: undefined }, standingPause(trust, nowMs))
}

function rejected(trust: Trust, nowMs: number): Trust {
  return { ...trust, dispute: 'rejected', decidedAtMs: nowMs, settled: [...trust.settled, ...trust.reasons] }
}
