// Fetches a picture that a caller names by its address. Nothing of it is kept, and nothing of the address either.

import { Problem } from '../../domain/problem.js'
import { createOutgoing, OutgoingError, type OutgoingOptions } from '../../net/outgoing.js'

/** Where from: origins that the operator wrote down, and perhaps the public internet. */
export type FetchFrom = Pick<OutgoingOptions, 'trusted'> & Required<Pick<OutgoingOptions, 'reach'>>

/** `off`: this deployment fetches nothing. `unsafe`: not from there. `failed`: there was no usable answer. */
export type FetchRefusal = 'off' | 'unsafe' | 'failed'

export interface FetchedBody {
  /** As it says itself. */
  readonly contentType: string | undefined
  readonly sizeBytes: number | undefined
  readonly body: AsyncIterable<unknown>
}

export interface PictureFetching {
  /**
   * Opens an address; redirects are followed, each checked like the first one.
   * @param take reads the body to its end, or leaves it.
   * @throws {Problem} overloaded, when as many are fetched already as this process may; and whatever `take` throws.
   */
  fetch<T>(url: string, take: (answer: FetchedBody) => Promise<T>): Promise<{ readonly taken: T } | FetchRefusal>
}

/** For all of it. Clients of HMA wait as long for HMA. */
const TIMEOUT_MS = 30_000
const MAX_REDIRECTS = 5
/** Each holds a connection, and keeps somebody else's server busy in our name. */
const MAX_AT_ONCE = 16
const RETRY_AFTER_S = 2
const UNSAFE: readonly string[] = ['url-refused', 'no-public-address']

export function createPictureFetching(
  from: FetchFrom | undefined,
  send = from && createOutgoing({ trusted: from.trusted, reach: from.reach }),
): PictureFetching {
  let underWay = 0
  return {
    async fetch<T>(url: string, take: (answer: FetchedBody) => Promise<T>): Promise<{ readonly taken: T } | FetchRefusal> {
      if (send === undefined) return 'off'
      if (underWay >= MAX_AT_ONCE) throw new Problem('overloaded', { retryAfterS: RETRY_AFTER_S })
      underWay++
      const outcomes: ({ readonly taken: T } | { readonly error: unknown })[] = []
      try {
        await send({
          method: 'GET',
          url,
          timeoutMs: TIMEOUT_MS,
          maxRedirects: MAX_REDIRECTS,
          async read({ headers }, body) {
            const type = headers['content-type']
            const sizeBytes = Number(headers['content-length'])
            const contentType = typeof type === 'string' ? type : undefined
            const answer = { contentType, sizeBytes: Number.isSafeInteger(sizeBytes) ? sizeBytes : undefined, body }
            // What is thrown here would come out as a failed request.
            outcomes.push(
              await Promise.resolve(answer)
                .then(take)
                .then(
                  (taken) => ({ taken }),
                  (error: unknown) => ({ error }),
                ),
            )
          },
        })
      } catch (error) {
        if (!(error instanceof OutgoingError)) throw error
        if (outcomes.length === 0) return UNSAFE.includes(error.failure) ? 'unsafe' : 'failed'
      } finally {
        underWay--
      }
      const [outcome] = outcomes
      if (outcome === undefined) return 'failed' // an answer that is none, such as 404
      if ('taken' in outcome) return outcome
      if (outcome.error instanceof Problem && outcome.error.code === 'upload-incomplete') return 'failed'
      throw outcome.error
    },
  }
}
