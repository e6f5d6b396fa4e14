// Watches: a platform leaves hashes of recent uploads and is notified if one of those pictures or videos is registered later.

const DAY_MS = 86_400_000

export const LONGEST_WATCH_DAYS = 90
export const USUAL_WATCH_DAYS = 30
/** A reference is the platform's own and opaque. It must not name a person. */
export const MAX_REFERENCE_CHARS = 64
/** Enough for the whole picture by each algorithm, and its best parts. Every registration is compared with each of these signals. */
export const MAX_SIGNALS_PER_WATCH = 8
/** Maximum signals in one organisation's watches that are compared with one registered picture or video. Comparing stops at the first match. */
export const MAX_COMPARED_PER_ORG = 1000 * MAX_SIGNALS_PER_WATCH

/** As how many watches one with this many signals counts, since every registration is compared with each signal. A picture counts as one. */
export function countedAsWatches(signals: number): number {
  return Math.max(1, Math.ceil(signals / MAX_SIGNALS_PER_WATCH))
}

export function watchedUntilMs(nowMs: number, days: number): number {
  return nowMs + days * DAY_MS
}
