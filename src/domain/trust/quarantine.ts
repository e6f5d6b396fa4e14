// What stops a signal from matching until somebody decides: quarantine by the flood guard or an operator, and the pause of its owner.

import type { ProblemCode } from '../problem.js'
import type { Hold, QuarantineCause, Trust } from './trust.js'

/** What a quarantine stops. One that stops more replaces another; nothing else does. */
const STOPS = { decoration: 0, 'look-alikes': 1, flood: 2, operator: 2 } as const satisfies Record<QuarantineCause, number>

/** Puts a signal into quarantine. @returns the same object if it is in one that stops as much. */
export function held(trust: Trust, action: Hold, nowMs: number): Trust {
  const { heldFor, stoppedViews } = trust
  const isFurtherView = action.cause === 'decoration' && heldFor === 'decoration' && !stoppedViews.includes(action.view)
  if (heldFor !== undefined && STOPS[action.cause] <= STOPS[heldFor] && !isFurtherView) return trust
  const stopped = action.cause === 'decoration' ? [...stoppedViews, action.view] : stoppedViews
  const next = { ...trust, heldFor: action.cause, heldAtMs: nowMs, stoppedViews: stopped, flood: action.flood }
  return circulating(next, trust.pause)
}

/** Sets the pause and the circulation that follows. The signal must not be invalidated. */
export function circulating(trust: Trust, pause: Trust['pause']): Trust {
  if (pause !== undefined) return { ...trust, pause, circulation: 'held' }
  const { heldFor } = trust
  const isMatching = heldFor === undefined || heldFor === 'decoration'
  const circulation = isMatching ? 'matching' : heldFor === 'look-alikes' ? 'narrowed' : 'held'
  return { ...trust, pause, circulation }
}

/** Ends a quarantine. */
export function released(trust: Trust, nowMs: number): Trust | ProblemCode {
  if (trust.heldFor === undefined) return 'quarantine-conflict'
  const toleratedFlood = Math.max(trust.toleratedFlood, trust.flood)
  const free = { ...trust, heldFor: undefined, heldAtMs: undefined, stoppedViews: [], flood: 0, toleratedFlood }
  return circulating(free, standingPause(trust, nowMs))
}

/** A pause that has ended no longer counts, even before the expiry schedule has removed it. */
export function standingPause({ pause }: Trust, nowMs: number): Trust['pause'] {
  return pause === undefined || isOver(pause, nowMs) ? undefined : pause
}

export function isOver({ untilS }: { readonly untilS: number }, nowMs: number): boolean {
  return untilS !== 0 && untilS * 1000 <= nowMs
}

/** @returns when [Unix seconds] the current pause ends; `undefined` if it has no end, or the signal is not paused. */
export function pauseEndsS({ circulation, pause }: Trust): number | undefined {
  return circulation === 'held' && pause !== undefined && pause.untilS !== 0 ? pause.untilS : undefined
}
