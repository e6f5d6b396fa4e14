// Notes in the log of withdrawals what was applied, and tells who waits for that. All that is applied during one write is noted with the next.

import type { Change } from '../../store/scripts/change-ops.js'
import type { WithdrawalLog } from '../../store/upkeep/withdrawal-log.js'
import { revisionWaits } from './freshness.js'

export class Settling {
  readonly #withdrawals: WithdrawalLog | undefined
  readonly #waits: ReturnType<typeof revisionWaits>
  // Applied and not noted yet, in order.
  #next: { readonly changes: Change[]; revision: number } | undefined
  #running: Promise<void> | undefined

  /** @param late makes what is thrown when a wait takes too long. */
  constructor(withdrawals: WithdrawalLog | undefined, late: () => Error) {
    this.#withdrawals = withdrawals
    this.#waits = revisionWaits(late)
  }

  /** Ends when everything that was given is noted; at once when nothing is. */
  get done(): Promise<void> | undefined {
    return this.#running
  }

  /** For who waits until a revision is applied and noted. */
  get waits(): ReturnType<typeof revisionWaits> {
    return this.#waits
  }

  settle(changes: readonly Change[], revision: number): void {
    this.#next ??= { changes: [], revision }
    this.#next.changes.push(...changes)
    this.#next.revision = revision
    this.#running ??= this.#run()
  }

  async #run(): Promise<void> {
    for (let next = this.#next; next !== undefined; next = this.#next) {
      this.#next = undefined
      await this.#withdrawals?.note(next.changes)
      this.#waits.tell(next.revision)
    }
    this.#running = undefined
  }
}
