// A fetcher of StopNCII's interface that applies records as specified, unlike HMA's and python-threatexchange's, which have faults.

import type { FastifyInstance } from 'fastify'
import { z } from 'zod'

const Page = z.object({
  nextSetTimestamp: z.int(),
  nextPageToken: z.string().nullable(),
  hasMoreRecords: z.boolean(),
  hashRecords: z.array(z.object({ hashValue: z.string(), hashStatus: z.enum(['Active', 'Withdrawn']) })),
})

/**
 * Keeps the time of each page. A fetch continues by tokens; after an interruption it continues from the last time.
 * @param api returns one of several apis, in each call.
 */
export function stopNciiFetcher(api: () => FastifyInstance, key: string) {
  /** The hashes that it has now, and all that it ever had. */
  const has = new Set<string>()
  const had = new Set<string>()
  /** Hashes that were sent to it, received or lost; and removals of hashes that had not been sent before. */
  const sent = new Set<string>()
  const strange: string[] = []
  let removals = 0
  let lastS = 10
  let fetch: { readonly sinceS: number; readonly token: string } | undefined
  const breakOff = () => {
    fetch = undefined
  }
  /** @returns whether there is more. */
  const page = async (size: number, isLost = false): Promise<boolean> => {
    const { sinceS, token } = fetch ?? { sinceS: lastS, token: '' }
    const query = new URLSearchParams({ startTimestamp: String(sinceS), pageSize: String(size), nextPageToken: token })
    const answer = await api().inject({ url: `/stopncii/v1/FetchHashes?${query}`, headers: { 'x-functions-key': key } })
    if (answer.statusCode !== 200) throw new Error(answer.body)
    const { hashRecords, nextSetTimestamp, nextPageToken, hasMoreRecords } = Page.parse(answer.json())
    for (const { hashValue, hashStatus } of hashRecords) {
      if (hashStatus === 'Withdrawn' && !sent.has(hashValue)) strange.push(hashValue)
      if (hashStatus === 'Active') sent.add(hashValue)
    }
    if (isLost) return true
    if (nextSetTimestamp < lastS) throw new Error('HMA gives up where times go back')
    for (const { hashValue, hashStatus } of hashRecords) {
      if (hashStatus === 'Active') had.add(hashValue)
      if (hashStatus === 'Active') has.add(hashValue)
      else if (has.delete(hashValue)) removals++
    }
    lastS = nextSetTimestamp
    fetch = hasMoreRecords ? { sinceS, token: nextPageToken ?? '' } : undefined
    return hasMoreRecords
  }
  const all = async (size = 800) => {
    while (await page(size));
  }
  /** Fetches everything again, as HMA after 30 days, and keeps what it has. */
  const restart = () => {
    breakOff()
    lastS = 10
  }
  return {
    has,
    had,
    strange,
    page,
    all,
    breakOff,
    restart,
    removals: () => removals,
  }
}
export type StopNciiFetcher = ReturnType<typeof stopNciiFetcher>
