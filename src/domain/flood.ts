// A signal that suddenly matches everywhere: a hash that says too little, or a report that was made to block something harmless.

import type { Tier } from './signal.js'

/**
 * By tier. `platforms`: how many have to see it. `least`: below that no flood is one. `timesUsual`: how far above its own hours of the
 * last day. `holds`: is the signal put into quarantine until the operator decides, or is he only told?
 *
 * A picture that is being passed around floods too, and then it must not stop matching: so the better known a signal is, the more it takes,
 * and from the confirmation of platforms on it never stops by itself.
 */
export const FLOOD_RULES = {
  'self-reported': { platforms: 3, least: 300, timesUsual: 10, holds: true },
  'ngo-attested': { platforms: 4, least: 2000, timesUsual: 20, holds: true },
  'platform-confirmed': { platforms: 4, least: 2000, timesUsual: 20, holds: false },
  verified: { platforms: 4, least: 2000, timesUsual: 20, holds: false },
} as const satisfies Record<
  Tier,
  { readonly platforms: number; readonly least: number; readonly timesUsual: number; readonly holds: boolean }
>
export type FloodRule = (typeof FLOOD_RULES)[Tier]

/** Matches of one signal in one hour, a number for each platform. */
export type HitsByPlatform = readonly number[]

export const FLOOD_WINDOW_MS = 3_600_000
/** Hours that make up what is usual; those without a match count as 0. */
export const USUAL_HOURS = 24
/** How much higher than one that an operator let pass the next has to be. */
const TIMES_TOLERATED = 2

/**
 * The height of a flood: platforms × hits, where hits are those of the `platforms`-th platform. So a few keys fewer than the rule asks for
 * make no flood, however much they ask: nobody takes a picture out of the index by asking for it.
 */
export function floodOf(hits: HitsByPlatform, { platforms }: { readonly platforms: number }): number {
  const nth = [...hits].sort((a, b) => b - a)[platforms - 1] ?? 0
  return hits.length * nth
}

/**
 * @param past the hours before this one in which there was a match, at most `USUAL_HOURS` of them.
 * @param tolerated the height that an operator looked at and let pass; 0 for none.
 * @returns the height of the flood, or 0 when there is none.
 */
export function floodNow(rule: FloodRule, hits: HitsByPlatform, past: readonly HitsByPlatform[], tolerated: number): number {
  const height = floodOf(hits, rule)
  const usual = past.reduce((sum, hour) => sum + floodOf(hour, rule), 0) / USUAL_HOURS
  const isFlood = height >= rule.least && height > rule.timesUsual * usual && height > TIMES_TOLERATED * tolerated
  return isFlood ? height : 0
}

/** No flood is lower, whatever the tier: below it nothing else needs to be looked at. */
export const LEAST_FLOOD = Math.min(...Object.values(FLOOD_RULES).map(({ least }) => least))
export const LEAST_PLATFORMS: number = Math.min(...Object.values(FLOOD_RULES).map(({ platforms }) => platforms))
