// A client of a process that runs beside others: it comes again when it is told to.

import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../../src/domain/problem.js'
import { PROBLEMS } from '../../src/http/problem-table.js'
import { HASHING_TIME_LIMIT_MS } from '../../src/jobs/hash-image-job.js'
import type { Hashing } from '../../src/services/intake/hashing.js'

/** What is refused because there was no time for something, and not because of what was asked: so it says, by the routes of HMA too. */
const LATER = [PROBLEMS.overloaded, PROBLEMS['store-unavailable'], PROBLEMS['index-loading']].map(({ title }) => title)
const MAX_TIMES = 60

/** As `fetch`; of a machine that has no time for workers or for the store, what is answered once it has. */
export async function fetchPatiently(url: string, init: RequestInit = {}): Promise<Response> {
  for (let times = 1; ; times++) {
    const answer = await fetch(url, init)
    if (answer.status !== 503 || times === MAX_TIMES) return answer
    const text = await answer.clone().text()
    if (!LATER.some((title) => text.includes(title))) return answer
    await sleep(1000 * Number(answer.headers.get('retry-after')))
  }
}

/** Workers give a picture up no sooner than this, if nothing is wrong with them, for want of a processor. */
const STARVED_AFTER_MS = 2 * HASHING_TIME_LIMIT_MS

/** As `hashing`; a picture for which its workers were given no processor until its time was up is handed to them again. One that comes back sooner is not. */
export function hashingPatiently(hashing: Hashing): Hashing {
  return {
    async hash(image, purpose, details, from) {
      const again = image.map((piece) => Buffer.from(piece)) // what was handed over is zeros by then
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
