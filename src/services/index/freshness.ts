// Who waits for a revision: all of them are told with the first that is as new.

export interface RevisionWaits {
  /** @param timeoutMs may be infinite. @returns once a revision was told that is not older; at once where one was. @throws {Late} what `late` makes, after so long. */
  until(revision: number, timeoutMs: number): Promise<void>
  tell(revision: number): void
  /** What was told counts no more; who waits goes on waiting. */
  forget(): void
}

/** @param late what is thrown at whoever has waited for too long. */
export function revisionWaits(late: () => Error): RevisionWaits {
  let told: number | undefined
  let waiting: { readonly revision: number; readonly resolve: () => void }[] = []
  return {
    async until(revision, timeoutMs) {
      if (told !== undefined && told >= revision) return
      await new Promise<void>((resolve, reject) => {
        const timer = Number.isFinite(timeoutMs) ? setTimeout(() => reject(late()), timeoutMs) : undefined
        waiting.push({
          revision,
          resolve() {
            clearTimeout(timer)
            resolve()
          },
        })
      })
    },
    tell(revision) {
      told = revision
      const due = waiting.filter((waiter) => waiter.revision <= revision)
      if (due.length === 0) return
      waiting = waiting.filter((waiter) => waiter.revision > revision)
      for (const { resolve } of due) resolve()
    },
    forget() {
      told = undefined
    },
  }
}
