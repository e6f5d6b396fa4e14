// Why a process does not answer. Stable words for operators and their alerts; none tells anything of what is stored.

export const NOT_READY_REASONS = [
  /** The index is read for the first time, or catches up after that. */
  'loading',
  /** The stream of changes was trimmed behind this process: everything is read again. */
  'gap',
  /** The store lost changes that this process had, in a failover or a restore: everything is read again. */
  'history-diverged',
  /** Redis cannot be reached, or does not answer. */
  'store-unavailable',
  /** It is longer than a second ago that this process knew everything: it stood still, or has much to apply. */
  'stale',
  /** Something else goes wrong, again and again: the log says what. */
  'failing',
] as const
export type NotReadyReason = (typeof NOT_READY_REASONS)[number]
