// The answer about any number of signals that were handed in, written as they are taken.

import { Readable } from 'node:stream'
import { z } from 'zod'
import type { ProblemCode } from '../domain/problem.js'
import { PartProblem, RegisteredState } from './schemas.js'

export const RegisteredSignals = z.object({
  accepted: z.int(),
  refused: z.int(),
  signals: z
    .array(
      z.object({
        line: z.int().optional().meta({ description: 'Line of the NDJSON body, counted from 1.' }),
        signalId: z.uuid().optional(),
        state: RegisteredState,
        problem: PartProblem,
      }),
    )
    .meta({ description: 'In the order of the request. For NDJSON only the first 500,000; the counts above include all.' }),
})
export type RegisteredSignal = z.infer<typeof RegisteredSignals>['signals'][number]

/** A line may have two bytes, and its entry in the answer has about a hundred: a body of senseless lines must not fill the memory. */
const MAX_LISTED = 500_000

/**
 * An answer that grows by a piece of JSON with each batch. As objects, the signals of 300,000 lines took some 300 MB, and writing them as JSON at the end
 * blocked the event loop for over a second.
 */
export class RegisteredSignalsAnswer {
  accepted = 0
  refused = 0
  /** Why the first refused signal was refused. */
  refusal: ProblemCode | undefined
  readonly #pieces: Buffer[] = []
  #listed = 0

  /** @param signals in the order of their lines, which follow those of the batch before. */
  add(signals: readonly RegisteredSignal[]): void {
    if (signals.length === 0) return
    for (const { state, problem } of signals) {
      if (state === 'refused') this.refused++
      else this.accepted++
      this.refusal ??= problem?.code
    }
    const listed = signals.slice(0, MAX_LISTED - this.#listed)
    if (listed.length === 0) return
    this.#listed += listed.length
    const text = listed.map((signal) => JSON.stringify(signal)).join()
    this.#pieces.push(Buffer.from(this.#pieces.length === 0 ? text : `,${text}`))
  }

  /** JSON as `RegisteredSignals` describes it, and its length: not every client reads an answer without Content-Length. */
  json(): { readonly text: Readable; readonly bytes: number } {
    const head = `{"accepted":${this.accepted},"refused":${this.refused},"signals":[`
    const pieces = [Buffer.from(head), ...this.#pieces, Buffer.from(']}')]
    const bytes = pieces.reduce((sum, { length }) => sum + length, 0)
    return { text: Readable.from(pieces, { objectMode: false }), bytes }
  }
}
