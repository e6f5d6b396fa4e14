// Waits for revisions. All waits for a revision end when that revision or a later one is announced.

export interface RevisionWaits {
  /**
   * Waits until this revision or a later one is announced; returns at once if that has happened. @param timeoutMs may be infinite.
   * @throws the error that `lateError` makes, after `timeoutMs`.
   */
  until(revision: number, timeoutMs: number): Promise<void>
  /** Ends the waits for this revision and for earlier ones. */
  announce(revision: number): void
  /** Forgets the announced revision. Pending waits continue. */
  forget(): void
}

/** @param lateError makes the error for a wait that timed out. */
export function createRevisionWaits(lateError: () => Error): RevisionWaits {
  let announced: number | undefined
  let waiting: { readonly revision: number; readonly resolve: () => void }[] = []
  return {
    async until(revision, timeoutMs) {
      if (announced !== undefined && announced >= revision) return
      await new Promise<void>((resolve, reject) => {
        const timer = Number.isFinite(timeoutMs) ? setTimeout(() => reject(lateError()), timeoutMs) : undefined
        waiting.push({
          revision,
          resolve() {
            clearTimeout(timer)
            resolve()
          },
        })
      })
    },
    announce(revision) {
      announced = revision
      const due = waiting.filter((waiter) => waiter.revision <= revision)
      if (due.length === 0) return
      waiting = waiting.filter((waiter) => waiter.revision > revision)
      for (const { resolve } of due) resolve()
    },
    forget() {
      announced = undefined
    },
  }
}
