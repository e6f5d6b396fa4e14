// A client that retries when the answer says so, for tests on busy machines.

import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../../src/domain/problem.js'
import { PROBLEMS } from '../../src/http/problem-table.js'
import { HASHING_TIME_LIMIT_MS } from '../../src/jobs/hash-image-job.js'
import type { Hashing } from '../../src/services/intake/hashing.js'

/** Titles of the problems that mean a lack of time, not a wrong request; HMA's routes use them too. */
const LATER = [PROBLEMS.overloaded, PROBLEMS['store-unavailable'], PROBLEMS['index-loading']].map(({ title }) => title)
const MAX_TIMES = 60

/** As `fetch`, but retries while a busy machine has no time for workers or the store. */
export async function fetchPatiently(url: string, init: RequestInit = {}): Promise<Response> {
  for (let times = 1; ; times++) {
    const answer = await fetch(url, init)
    if (answer.status !== 503 || times === MAX_TIMES) return answer
    const text = await answer.clone().text()
    if (!LATER.some((title) => text.includes(title))) return answer
    await sleep(1000 * Number(answer.headers.get('retry-after')))
  }
}

/** Workers that lack only processor time give up a picture no sooner than this. */
const STARVED_AFTER_MS = 2 * HASHING_TIME_LIMIT_MS

/** As `hashing`, but sends a picture again if its workers got no processor time until its time limit. A picture that fails sooner is not sent again. */
export function hashingPatiently(hashing: Hashing): Hashing {
  return {
    async hash(image, purpose, details, from) {
      const again = image.map((piece) => Buffer.from(piece)) // the first copy is overwritten with zeros by then
      const fromMs = performance.now()
      try {
        return await hashing.hash(image, purpose, details, from)
      } catch (error) {
        const isStarved = performance.now() - fromMs >= STARVED_AFTER_MS
        if (!isStarved || !(error instanceof Problem) || error.code !== 'hashing-unavailable') throw error
        return await this.hash(again, purpose, details, from)
      }
    },
  }
}

/** As `hashing`, but calls a function when the hashes of a picture have arrived. */
export function noting(hashing: Hashing, onHashed?: (...of: Parameters<Hashing['hash']>) => void): Hashing {
  return {
    async hash(...of) {
      const hashed = await hashing.hash(...of)
      onHashed?.(...of)
      return hashed
    },
  }
}
