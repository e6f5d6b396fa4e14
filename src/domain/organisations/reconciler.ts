// Reconcilers remove from another organisation's HMA the signals that it fetched from here and that were withdrawn since. Their progress and
// failures.

/** Why a run ended early. Finished work is kept, and the next run continues from there. */
export const RECONCILE_FAILURES = [
  /** The HMA is down or too slow. */
  'unreachable',
  /** The HMA requires an API key, or another one. */
  'credentials-rejected',
  /** The response is not one of HMA's. */
  'response-invalid',
  /** None of its banks is filled by a StopNCII exchange. */
  'bank-without-exchange',
  /** Most content of the bank never came from this Tabir. */
  'bank-content-foreign',
  /** No API key was ever made for an organisation of this name. */
  'organisation-unknown',
  /** This process is not ready: its replica is incomplete or stale. */
  'not-ready',
] as const
export type ReconcileFailure = (typeof RECONCILE_FAILURES)[number]

export const RECONCILE_STATES = ['waiting', 'running', 'failed'] as const

export interface ReconcileProgress {
  readonly state: (typeof RECONCILE_STATES)[number]
  readonly failure: ReconcileFailure | undefined
  readonly startedAtMs: number
  readonly updatedAtMs: number
  /** All that had been withdrawn by this time has been removed there. */
  readonly caughtUpAtMs: number | undefined
  /** Contents checked since the first run, and contents removed. */
  readonly checked: number
  readonly removed: number
}

/** A range of content ids, both ends inclusive, that did not exist when they were checked. */
export interface Hole {
  readonly from: number
  readonly to: number
  readonly sinceMs: number
}

/** How far a reconciler has come. */
export interface ReconcileCursor {
  /** The last change of ours that was applied: its revision, and the digest of the change chain there. */
  readonly revision: number
  readonly digest: string
  /** The highest content id of theirs that was checked. */
  readonly checkedTo: number
  /** Ids below `checkedTo` that may still appear, because HMA assigns an id before it writes the content. */
  readonly holes: readonly Hole[]
  /** Next id of a full re-check; `undefined` if none is in progress. */
  readonly allFrom: number | undefined
  /** When the last full re-check finished. */
  readonly allAtMs: number | undefined
}
