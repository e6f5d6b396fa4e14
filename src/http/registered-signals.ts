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

/** Bounds the memory of the answer: a line may have two bytes, but its entry in the answer has about a hundred. */
const MAX_LISTED = 500_000

/**
 * Collects the answer as pieces of JSON, one for each batch. As objects, the signals of 300,000 lines took some 300 MB, and serialising them at the
 * end blocked the event loop for over a second.
 */
export class RegisteredSignalsAnswer {
  accepted = 0
  refused = 0
  /** The problem of the first refused signal. */
  refusal: ProblemCode | undefined
  readonly #pieces: Buffer[] = []
  #listed = 0

  /** @param signals in the order of their lines, after those of the previous batch. */
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

  /** The answer as `RegisteredSignals` describes it, and its length: not every client can read an answer without Content-Length. */
  json(): { readonly text: Readable; readonly bytes: number } {
    const head = `{"accepted":${this.accepted},"refused":${this.refused},"signals":[`
    const pieces = [Buffer.from(head), ...this.#pieces, Buffer.from(']}')]
    const bytes = pieces.reduce((sum, { length }) => sum + length, 0)
    return { text: Readable.from(pieces, { objectMode: false }), bytes }
  }
}
