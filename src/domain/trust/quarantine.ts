// Whether a signal matches, and what can stop it: a quarantine by the flood guard or an operator, or a pause by its owner.

/**
 * - `matching`: matches normally.
 * - `narrowed`: matches only nearly unchanged copies (`isCopy` in `flood.ts`), until an operator decides.
 * - `held`: stored, but matches nothing until an operator releases it, or the owner's pause ends.
 * - `invalidated`: judged false. Matches nothing unless the decision is reversed.
 */
export const CIRCULATIONS = ['matching', 'narrowed', 'held', 'invalidated'] as const
export type Circulation = (typeof CIRCULATIONS)[number]

/**
 * Why a signal is in quarantine, until an operator releases it. `decoration`: only some of its views are stopped, because they show something that
 * unrelated pictures share. `look-alikes`: it is narrowed. The others hold it.
 */
export const QUARANTINE_CAUSES = ['flood', 'look-alikes', 'operator', 'decoration'] as const
export type QuarantineCause = (typeof QUARANTINE_CAUSES)[number]
/** `owner`: the organisation that submitted the signal paused it, and can resume it. */
export const HOLD_CAUSES = [...QUARANTINE_CAUSES, 'owner'] as const
export type HoldCause = (typeof HOLD_CAUSES)[number]

/** A pause by the owner of the signal. */
export interface Pause {
  /** [Unix seconds] when it ends; 0 if it has no end. */
  readonly untilS: number
  readonly atMs: number
}

/** Why a signal is put into quarantine. `view`: which one is stopped. */
export type HoldReason =
  | { readonly cause: Exclude<QuarantineCause, 'decoration'>; readonly flood: number }
  | { readonly cause: 'decoration'; readonly flood: number; readonly view: number }
export type Hold = HoldReason & { readonly kind: 'hold' }

/** How much each quarantine stops, as a rank. A new one replaces the current one only if its rank is higher; a further `decoration` adds a view. */
export const STOPS = { decoration: 0, 'look-alikes': 1, flood: 2, operator: 2 } as const satisfies Record<
  QuarantineCause,
  number
>
