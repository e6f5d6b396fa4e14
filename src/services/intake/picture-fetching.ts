// Fetches a picture from a URL that a caller gives. Neither the picture nor the URL is kept.

import { Problem } from '../../domain/problem.js'
import { createOutgoing, OutgoingError, type OutgoingOptions } from '../../net/outgoing.js'

/** Allowed sources: origins that the operator configured, and perhaps the public internet. */
export type FetchFrom = Pick<OutgoingOptions, 'trusted'> & Required<Pick<OutgoingOptions, 'reach'>>

/** `off`: this deployment fetches nothing. `unsafe`: the URL is not allowed. `failed`: there was no usable answer. */
export type FetchRefusal = 'off' | 'unsafe' | 'failed'

export interface FetchedBody {
  /** As the server declares it, unchecked. */
  readonly contentType: string | undefined
  /** As the server declares it, unchecked; the body may be longer. */
  readonly sizeBytes: number | undefined
  readonly body: AsyncIterable<unknown>
}

export interface PictureFetching {
  /**
   * Fetches a URL. Follows redirects, and checks each like the first URL.
   * @param take reads the body to its end, or ignores it.
   * @throws {Problem} overloaded if this process runs its maximum of fetches; whatever `take` throws.
   */
  fetch<T>(url: string, take: (answer: FetchedBody) => Promise<T>): Promise<{ readonly taken: T } | FetchRefusal>
}

/** Maximum time of a fetch with its redirects. HMA's clients wait as long for HMA. */
const TIMEOUT_MS = 30_000
const MAX_REDIRECTS = 5
/** Each fetch holds a connection and puts load on somebody else's server. */
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
            // An error thrown in here would look like a failed request, so it is caught and rethrown below.
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
      if (outcome === undefined) return 'failed' // a status without a body to use, such as 404
      if ('taken' in outcome) return outcome
      if (outcome.error instanceof Problem && outcome.error.code === 'upload-incomplete') return 'failed'
      throw outcome.error
    },
  }
}
