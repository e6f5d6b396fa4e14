// Scheduled jobs that expire and erase cases. Jobs have no data: the store knows which cases are due.

export const CASE_LIFE_QUEUE = 'case-life'
export const CASE_LIFE_JOBS = ['expire', 'erase'] as const
export type CaseLifeJob = (typeof CASE_LIFE_JOBS)[number]

/** How often cases are expired: an expired case may match this much longer, plus the time that the job takes. */
export const EXPIRE_INTERVAL_MS = 60_000
/** Timeout for Redis to rewrite its append-only file. */
export const REWRITE_TIMEOUT_MS = 600_000
