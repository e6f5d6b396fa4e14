// The contract between the clock and who looks after cases. The jobs carry nothing: what is to be done stands in the store.

export const CASE_LIFE_QUEUE = 'case-life'
export const CASE_LIFE_JOBS = ['expire', 'erase'] as const
export type CaseLifeJob = (typeof CASE_LIFE_JOBS)[number]

/** How long after its time a case may still match, at most, besides the time that the work takes. */
export const EXPIRE_INTERVAL_MS = 60_000
/** How long Redis may take to write its log anew. */
export const REWRITE_TIMEOUT_MS = 600_000
