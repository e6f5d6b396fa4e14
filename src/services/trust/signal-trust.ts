// Views of a signal and its trust status, for platforms and for operators.

import { CASES_BANK_NAME } from '../../../packages/core/src/matching/bank.js'
import { type Category, durationSOf, type RegisteredFacts, type Tier } from '../../../packages/core/src/matching/signal.js'
import type { Deadline } from '../../domain/cases/sla.js'
import type { Circulation, HoldCause } from '../../domain/trust/quarantine.js'
import { type Support, tierOf } from '../../domain/trust/tier.js'
import {
  type DisputeAnswer,
  type DisputeReason,
  type DisputeState,
  silentUntilS,
  supportOf,
  type Trust,
} from '../../domain/trust/trust.js'
import type { Verdict } from '../../domain/trust/verdict.js'

/** Support for a signal and objections to it: numbers of organisations, no names. */
export interface SignalTrust extends Support {
  readonly tier: Tier
  readonly disputed: boolean
  readonly dispute: DisputeState
  readonly reasons: readonly DisputeReason[]
  readonly source: 'case' | 'bank'
  readonly category: Category | undefined
  readonly registeredAtMs: number
  /** Only for videos. */
  readonly durationS: number | undefined
}

/** A signal as the organisation that got a match sees it. */
export interface MatchTrust extends SignalTrust {
  readonly matchId: string
  /** The organisation's own verdict. */
  readonly verdict: Verdict | undefined
  /** The organisation's running deadlines because of a notice, soonest first. */
  readonly deadlines: readonly Deadline[]
}

/** A signal as shown to an operator, who decides about disputes and holds. */
export interface JudgedSignal extends SignalTrust {
  readonly signalId: string
  readonly bank: string
  readonly circulation: Circulation
  readonly heldFor: HoldCause | undefined
  /** [Unix seconds] When its owner's pause ends, after which it matches again; 0 if no such time is set; `undefined` if it matches now. */
  readonly silentUntilS: number | undefined
  readonly disputedAtMs: number | undefined
  readonly decidedAtMs: number | undefined
  readonly answer: DisputeAnswer | undefined
  readonly heldAtMs: number | undefined
}

export function signalTrustOf(image: RegisteredFacts, trust: Trust): SignalTrust {
  const support = supportOf(trust)
  return {
    ...support,
    tier: tierOf(image.tier, support),
    disputed: trust.dispute === 'open',
    dispute: trust.dispute,
    reasons: trust.reasons,
    source: image.bank === CASES_BANK_NAME ? 'case' : 'bank',
    category: image.category,
    registeredAtMs: image.createdAtMs,
    durationS: durationSOf(image.video),
  }
}

/** @param signalId the id of its image. */
export function judged(signalId: string, image: RegisteredFacts, trust: Trust): JudgedSignal {
  const { circulation, heldFor, heldAtMs, pause, disputedAtMs, decidedAtMs, answer } = trust
  const isPaused = circulation === 'held' && pause !== undefined
  return {
    signalId,
    bank: image.bank,
    circulation,
    heldFor: heldFor ?? (isPaused ? 'owner' : undefined),
    heldAtMs: heldAtMs ?? (isPaused ? pause.atMs : undefined),
    silentUntilS: silentUntilS(trust),
    disputedAtMs,
    decidedAtMs,
    answer,
    ...signalTrustOf(image, trust),
  }
}
