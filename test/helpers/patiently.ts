// A client of a process that runs beside others: it comes again when it is told to.

import { setTimeout as sleep } from 'node:timers/promises'
import { PROBLEMS } from '../../src/http/problems.js'

/** What is refused because there was no time for something, and not because of what was asked: so it says, by the routes of HMA too. */
const LATER = [PROBLEMS.overloaded, PROBLEMS['store-away'], PROBLEMS['index-cold']].map(({ title }) => title)
const MOST_TIMES = 60

/** As `fetch`; of a machine that has no time for workers or for the store, what is answered once it has. */
export async function fetchPatiently(url: string, init: RequestInit = {}): Promise<Response> {
  for (let times = 1; ; times++) {
    const answer = await fetch(url, init)
    if (answer.status !== 503 || times === MOST_TIMES) return answer
    const text = await answer.clone().text()
    if (!LATER.some((title) => text.includes(title))) return answer
    await sleep(1000 * Number(answer.headers.get('retry-after')))
  }
}
