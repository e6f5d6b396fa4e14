// Scheduled jobs. `expire` ends the cases whose time is over, which deletes their records. `erase` has Redis rewrite its append-only file, which
// still contains the deleted records. `remind` tells organisations which of their cases end soon. Jobs carry no data: the store knows which cases are due.

export const CASE_LIFE_QUEUE = 'case-life'
export const CASE_LIFE_JOBS = ['expire', 'erase', 'remind'] as const
export type CaseLifeJob = (typeof CASE_LIFE_JOBS)[number]

/** How often the job runs. A case may match for this long beyond its expiry, plus the time that the job takes. */
export const EXPIRE_INTERVAL_MS = 60_000
/** How often it is looked for cases that end soon: their organisations are told at most this late. */
export const REMIND_INTERVAL_MS = 6 * 3_600_000
/** Time limit for Redis to rewrite its append-only file, after which the job fails. */
export const REWRITE_TIMEOUT_MS = 600_000
