// Why a process refuses to answer. Stable codes for operators and alerts; none reveals anything about the stored data.

export const NOT_READY_REASONS = [
  /** The process reads the index for the first time, or is still catching up. */
  'loading',
  /** The change stream was trimmed past this process. It reads everything again. */
  'gap',
  /** The store lost changes that this process already had, by a failover or a restore. It reads everything again. */
  'history-diverged',
  /** Redis cannot be reached or does not answer. */
  'store-unavailable',
  /** The replica is more than one second stale: the process was blocked, or has many changes to apply. */
  'stale',
  /** Another error keeps recurring. The log has it. */
  'failing',
] as const
export type NotReadyReason = (typeof NOT_READY_REASONS)[number]
