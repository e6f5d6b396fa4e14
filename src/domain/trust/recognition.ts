// How much of a registered picture's copies is recognised, and why not all. The person who registered it is told.

import { isMistake, type Trust, trustStatusOf } from './trust.js'

/**
 * - `full`: all copies.
 * - `decoration`: some of its parts are not compared, because unrelated pictures share them. An operator checks it.
 * - `narrowed`: only nearly unchanged copies, until an operator has checked it.
 * - `listed`: an operator listed this picture or one like it as harmless; copies of it may be missed. An appeal is possible.
 * - `paused`: none, until its owner ends the pause.
 * - `held`: none, until an operator has checked it.
 * - `judged`: none. A dispute was upheld. An appeal is possible.
 * - `mistake`: none. Its submitter answered that it was added by mistake.
 */
export const RECOGNITIONS = ['full', 'decoration', 'narrowed', 'listed', 'paused', 'held', 'judged', 'mistake'] as const
export type Recognition = (typeof RECOGNITIONS)[number]

/** Whether a picture is listed as harmless: `same` is the same hash, `similar` one within the threshold. */
export type Listed = 'no' | 'similar' | 'same'

/** Whether a dispute about it was upheld, and not because of a mistake. */
export function isJudged(trust: Trust): boolean {
  return trust.circulation === 'invalidated' && !isMistake(trust)
}

export function recognitionOf(trust: Trust, listed: Listed): Recognition {
  const { circulation, heldFor, stoppedViews } = trust
  if (circulation === 'invalidated') return isJudged(trust) ? 'judged' : 'mistake'
  if (circulation === 'held') return heldFor === 'flood' || heldFor === 'operator' ? 'held' : 'paused'
  if (listed !== 'no') return 'listed'
  if (circulation === 'narrowed') return 'narrowed'
  return stoppedViews.length > 0 ? 'decoration' : 'full'
}

/** Whether the picture itself is found. */
export function isFound(trust: Trust, listed: Listed): boolean {
  return trustStatusOf(trust).matches && listed !== 'same'
}
