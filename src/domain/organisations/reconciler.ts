// Taking out of somebody's HMA what it once fetched from here and what is withdrawn since: how far it has come, what went wrong.

/** Why a run ended before its end. What was done is done, and the next run goes on from there. */
export const RECONCILE_FAILURES = [
  /** It is away, or too slow. */
  'unreachable',
  /** It asks for a key, or for another one. */
  'not-let-in',
  /** Its answer is none of HMA's. */
  'answer-unreadable',
  /** No exchange of StopNCII's kind fills any bank. */
  'bank-not-of-an-exchange',
  /** Most of what is in the bank was never told by this Tabir. */
  'bank-not-from-here',
  /** No key was ever made for an organisation of this name. */
  'organisation-unknown',
  /** This process does not know everything at the moment. */
  'not-ready',
] as const
export type ReconcileFailure = (typeof RECONCILE_FAILURES)[number]

export const RECONCILE_STATES = ['waiting', 'running', 'failed'] as const

export interface ReconcileProgress {
  readonly state: (typeof RECONCILE_STATES)[number]
  readonly failure: ReconcileFailure | undefined
  readonly startedAtMs: number
  readonly updatedAtMs: number
  /** When everything that was withdrawn by then was out of it. */
  readonly caughtUpAtMs: number | undefined
  /** Contents that were looked at since the first run, and those that were taken out. */
  readonly looked: number
  readonly removed: number
}

/** Ids of contents from one up to another, both included, that were not there when they were looked for. */
export interface Hole {
  readonly from: number
  readonly to: number
  readonly sinceMs: number
}

export interface ReconcilePlace {
  /** Up to where changes of ours were followed: the revision, and the digest of the chain there. */
  readonly revision: number
  readonly digest: string
  /** Up to which id contents of theirs were looked at. */
  readonly lookedTo: number
  /** What may yet appear below that: their ids are given before what they name is written. */
  readonly holes: readonly Hole[]
  /** Where looking at everything once more has come; `undefined` when it is not under way. */
  readonly allFrom: number | undefined
  /** When that was last done to the end. */
  readonly allAtMs: number | undefined
}
