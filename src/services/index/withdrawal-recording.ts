// Records applied changes in the withdrawal log, and then ends the waits for them. Changes that are applied during a write are recorded by the next
// one.

import type { Change } from '../../store/scripts/change-ops.js'
import type { WithdrawalLog } from '../../store/upkeep/withdrawal-log.js'
import { createRevisionWaits } from './revision-waits.js'

export class WithdrawalRecording {
  readonly #withdrawals: WithdrawalLog | undefined
  readonly #waits: ReturnType<typeof createRevisionWaits>
  // Changes that are applied and not recorded yet, in order.
  #next: { readonly changes: Change[]; revision: number } | undefined
  #running: Promise<void> | undefined

  /** @param lateError makes the error for a wait that timed out. */
  constructor(withdrawals: WithdrawalLog | undefined, lateError: () => Error) {
    this.#withdrawals = withdrawals
    this.#waits = createRevisionWaits(lateError)
  }

  /** Resolves when all given changes are recorded; `undefined` when none is pending. */
  get done(): Promise<void> | undefined {
    return this.#running
  }

  /** Waits for revisions that are applied and recorded. */
  get waits(): ReturnType<typeof createRevisionWaits> {
    return this.#waits
  }

  /** Records changes that were applied up to `revision`, and then announces it. */
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
      this.#waits.announce(next.revision)
    }
    this.#running = undefined
  }
}
