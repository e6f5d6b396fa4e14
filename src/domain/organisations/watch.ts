// Watching: a platform leaves hashes of what was uploaded to it lately, and is told when one of those pictures is registered.

const DAY_MS = 86_400_000

export const LONGEST_WATCH_DAYS = 90
export const USUAL_WATCH_DAYS = 30
/** A reference is the platform's own and opaque: nothing that names a person. */
export const MAX_REFERENCE_CHARS = 64
/** The whole picture by each algorithm, and its best parts. Each is a row that every registration is compared with. */
export const MAX_SIGNALS_PER_WATCH = 8
/** Watches of one organisation that are compared with one registered picture, until one of them matches. */
export const MAX_COMPARED_PER_ORG = 1000

export function watchedUntilMs(nowMs: number, days: number): number {
  return nowMs + days * DAY_MS
}
