// What was said about a signal by those who met it, and what follows: its tier, whether it is disputed, whether it matches.
// Pure: a service reads this, lets `act` decide, and writes it back.

import type { ProblemCode } from '../problem.js'
import { encodeSupport, type Support } from './tier.js'

/** What a platform decided about a copy that it found. */
export const VERDICTS = ['blocked', 'not-blocked', 'pending-review', 'disputed'] as const
export type Verdict = (typeof VERDICTS)[number]

/** How a verdict may be changed: a platform may think again, and may not unsee what it has looked at. */
export const VERDICT_STEPS: Readonly<Record<Verdict | 'none', readonly Verdict[]>> = {
  none: VERDICTS,
  'pending-review': ['blocked', 'not-blocked', 'disputed'],
  blocked: ['not-blocked', 'disputed'],
  'not-blocked': ['blocked', 'disputed'],
  disputed: ['blocked', 'not-blocked'],
}

/** Why a signal should not be there. A list and no free text: a reason must not name anybody. */
export const DISPUTE_REASONS = [
  'harmless-content',
  'published-with-consent',
  'public-interest',
  'not-the-person-shown',
  'other',
] as const
export type DisputeReason = (typeof DISPUTE_REASONS)[number]

/** What she whose picture it is says to a dispute, or who acts for her. A list and no free text, as above. */
export const DISPUTE_ANSWERS = ['shows-me-without-consent', 'added-by-mistake'] as const
export type DisputeAnswer = (typeof DISPUTE_ANSWERS)[number]

export const DISPUTE_STEPS = {
  none: ['open'],
  open: ['upheld', 'rejected'],
  /** Taken back by the operator, who was wrong. */
  upheld: ['rejected'],
  rejected: ['open'],
} as const satisfies Record<string, readonly string[]>
export type DisputeState = keyof typeof DISPUTE_STEPS
export const DISPUTE_STATES = ['none', 'open', 'upheld', 'rejected'] as const satisfies readonly DisputeState[]
export type DisputeOutcome = 'upheld' | 'rejected'

/**
 * `matching`; `narrowed`: finds only copies that are nearly the whole picture (`isCopy` in `flood.ts`), until an operator decides; `held`: kept, and
 * matches nothing until then; `invalidated`: was judged false, and matches nothing unless that is taken back.
 */
export const CIRCULATION_STEPS = {
  matching: ['narrowed', 'held', 'invalidated'],
  narrowed: ['matching', 'held', 'invalidated'],
  held: ['matching', 'narrowed', 'invalidated'],
  invalidated: ['matching'],
} as const satisfies Record<string, readonly string[]>
export type Circulation = keyof typeof CIRCULATION_STEPS
export const CIRCULATIONS = ['matching', 'narrowed', 'held', 'invalidated'] as const satisfies readonly Circulation[]

/** Why an operator decides when it matches again. For `look-alikes` it is narrowed, for the others held. */
export const QUARANTINE_CAUSES = ['flood', 'look-alikes', 'operator'] as const
export type QuarantineCause = (typeof QUARANTINE_CAUSES)[number]
/** `owner`: the organisation that handed it in paused it, and decides itself when it matches again. */
export const HOLD_CAUSES = [...QUARANTINE_CAUSES, 'owner'] as const
export type HoldCause = (typeof HOLD_CAUSES)[number]

/** Set by the owner of a signal. */
export interface Pause {
  /** [Unix seconds] when it ends; 0 for not by itself. */
  readonly untilS: number
  readonly atMs: number
}

/** What one organisation decided. `party` is a keyed hash of organisation and image: whoever reads the store learns no names. */
export interface PseudonymVerdict {
  readonly pseudonym: string
  readonly verdict: Verdict
  /** Does it count for the tier? Not an NGO's, and not that of whoever handed the signal in. */
  readonly counts: boolean
}

export interface Trust {
  readonly verdicts: readonly PseudonymVerdict[]
  /** NGOs that vouch for it, as parties. */
  readonly attestedBy: readonly string[]
  readonly verifiedAtMs: number | undefined
  readonly dispute: DisputeState
  /** Of the open dispute, or of the one that was decided last. */
  readonly reasons: readonly DisputeReason[]
  /** Raised once and rejected: nobody may raise them again. */
  readonly settled: readonly DisputeReason[]
  readonly disputedAtMs: number | undefined
  readonly decidedAtMs: number | undefined
  /** To the dispute that is open, or was decided last; the last word counts. */
  readonly answer?: DisputeAnswer | undefined
  readonly circulation: Circulation
  /** In quarantine, until an operator releases it. */
  readonly heldFor: QuarantineCause | undefined
  readonly heldAtMs: number | undefined
  /** Beside a quarantine, and apart from it: ending the one leaves the other. */
  readonly pause?: Pause | undefined
  /** How great the flood (`flood.ts`) was that it is held for; how great a one an operator has looked at and let pass. 0 for none. */
  readonly flood: number
  readonly toleratedFlood: number
}

/** What every index has to know of a signal. Its tier follows from this and from the tier in its record, and is written down nowhere. */
export interface TrustStatus {
  /** As `encodeSupport` writes it. */
  readonly support: number
  readonly disputed: boolean
  readonly matches: boolean
  /** Only copies, where it matches. */
  readonly narrowed: boolean
  /** Judged harmless: it vetoes, for as long as it is kept. */
  readonly harmless: boolean
}

/** Of a signal about which nothing was said. */
export const NO_TRUST_STATUS: TrustStatus = { support: 0, disputed: false, matches: true, narrowed: false, harmless: false }

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
  /** Takes back that a dispute was upheld. */
  | { readonly kind: 'reinstate' }
  | { readonly kind: 'hold'; readonly cause: QuarantineCause; readonly flood: number }
  | { readonly kind: 'release' }
  /** By the owner, as is `resume`. */
  | { readonly kind: 'pause'; readonly untilS: number }
  /** `ifDue`: by the clock, and so only if the pause that stands now is over. */
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
  flood: 0,
  toleratedFlood: 0,
}

/**
 * What a signal's trust becomes.
 * @returns the same object when the action changes nothing, so that saying a thing twice is saying it once; the code of the refusal
 *   for a step that the tables above do not have.
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
      // What narrows it gives way to what holds it, and to nothing else.
      if (trust.heldFor !== undefined && (trust.heldFor !== 'look-alikes' || action.cause === 'look-alikes')) return trust
      return circulating({ ...trust, heldFor: action.cause, heldAtMs: nowMs, flood: action.flood }, trust.pause)
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

/** With this pause, of a signal that is not invalidated. */
function circulating(trust: Trust, pause: Pause | undefined): Trust {
  if (pause !== undefined) return { ...trust, pause, circulation: 'held' }
  const { heldFor } = trust
  const circulation = heldFor === undefined ? 'matching' : heldFor === 'look-alikes' ? 'narrowed' : 'held'
  return { ...trust, pause, circulation }
}

export function trustStatusOf(trust: Trust): TrustStatus {
  const isInvalidated = trust.circulation === 'invalidated'
  return {
    support: encodeSupport(supportOf(trust)),
    disputed: trust.dispute === 'open',
    matches: trust.circulation === 'matching' || trust.circulation === 'narrowed',
    narrowed: trust.circulation === 'narrowed',
    harmless: isInvalidated && trust.reasons.includes('harmless-content'),
  }
}

/** When [Unix seconds] a pause ends by itself; `undefined` for one that does not, and of what matches or is invalidated. */
export function pauseEndsS({ circulation, pause }: Trust): number | undefined {
  return circulation === 'held' && pause !== undefined && pause.untilS !== 0 ? pause.untilS : undefined
}

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

/** The decision that invalidated a signal may be said again, or taken back; nothing else may be said about it. The clock changes nothing of it. */
function isSettledAlready(trust: Trust, action: TrustAction): boolean {
  if (action.kind === 'resume') return action.ifDue === true
  return trust.dispute === 'upheld' && action.kind === 'decide' && action.outcome === 'upheld'
}

function released(trust: Trust, nowMs: number): Trust | ProblemCode {
  if (trust.heldFor === undefined) return 'quarantine-conflict'
  const toleratedFlood = Math.max(trust.toleratedFlood, trust.flood)
  const free = { ...trust, heldFor: undefined, heldAtMs: undefined, flood: 0, toleratedFlood }
  return circulating(free, standingPause(trust, nowMs))
}

/** A pause that is over by the clock holds nothing, also before the clock's own release comes round. */
function standingPause({ pause }: Trust, nowMs: number): Pause | undefined {
  return pause === undefined || isOver(pause, nowMs) ? undefined : pause
}

function isOver({ untilS }: Pause, nowMs: number): boolean {
  return untilS !== 0 && untilS * 1000 <= nowMs
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
    return { ...trust, dispute: 'upheld', decidedAtMs: nowMs, circulation: 'invalidated', heldFor: undefined }
  return rejected(trust, nowMs)
}

/** As if the dispute had been rejected: nobody may raise its reasons again, and the signal matches, unless its owner paused it. */
function reinstated(trust: Trust, nowMs: number): Trust | ProblemCode {
  if (trust.dispute === 'rejected') return trust
  if (trust.circulation !== 'invalidated') return 'signal-not-invalidated'
  return circulating({ ...rejected(trust, nowMs), heldAtMs: undefined }, standingPause(trust, nowMs))
}

function rejected(trust: Trust, nowMs: number): Trust {
  return { ...trust, dispute: 'rejected', decidedAtMs: nowMs, settled: [...trust.settled, ...trust.reasons] }
}
