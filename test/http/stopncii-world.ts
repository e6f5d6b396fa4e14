// A service and a client of its StopNCII interface.

import type { Test } from 'tap'
import { z } from 'zod'
import { parseHash } from '../../packages/hash/src/hash256.js'
import type { Scope } from '../../src/domain/organisations/access.js'
import { del, redisOf } from '../helpers/requests.js'
import { keyFor, randomHashText, startService, type TestServiceOptions } from '../helpers/service.js'
import { stopNciiFetcher } from '../helpers/stopncii-fetcher.js'
import { ask } from '../helpers/trust.js'

/** Fields and values that the real client knows. It stops at anything else. */
export const Page = z.strictObject({
  count: z.int(),
  nextSetTimestamp: z.int(),
  nextPageToken: z.string().nullable(),
  hasMoreRecords: z.boolean(),
  hashRecords: z.array(
    z.strictObject({
      lastModtimestamp: z.int(),
      signalType: z.enum(['Unknown', 'ImagePDQ', 'VideoMD5', 'VideoTMK', 'Text', 'URL']),
      hashValue: z.string().regex(/^(?:[0-9a-f]{32}){1,2}$/),
      hashStatus: z.enum(['Unknown', 'Received', 'Active', 'Withdrawn', 'Deleted']),
      caseNumbers: z.strictObject({}),
      CSPFeedbacks: z.array(
        z.strictObject({
          source: z.string(),
          feedbackValue: z.enum([
            'Unknown',
            'None',
            'QualityUnknown',
            'PendingReview',
            'Blocked',
            'NotBlocked',
            'Withdrawn',
            'Deleted',
          ]),
          tags: z.array(z.string()),
        }),
      ),
    }),
  ),
})
export type Page = z.infer<typeof Page>

export async function world(t: Test) {
  const clock = { nowMs: Date.now() }
  const service = await startService(t, { now: () => clock.nowMs })
  const keyWith = (scopes: readonly Scope[], org = 'hma') => keyFor(service, org, scopes)
  const reader = await keyWith(['feed'])
  const asHma = { 'x-functions-key': reader.key, 'ocp-apim-subscription-key': 'anything' }
  const get = (query: string, headers: Record<string, string> = asHma) =>
    service.app.inject({ url: `/stopncii/v1/FetchHashes?${query}`, headers })
  const page = async (query: string) => {
    const answer = await get(query)
    if (answer.statusCode !== 200) throw new Error(answer.body)
    return Page.parse(answer.json())
  }
  /** All pages of one fetch, requested like the real client. */
  const fetchAll = async (startTimestamp: number, pageSize = 800, most = 100) => {
    const pages = [await page(`startTimestamp=${startTimestamp}&pageSize=${pageSize}`)]
    for (let last = pages[0]; last?.hasMoreRecords && pages.length < most; last = pages.at(-1))
      pages.push(
        await page(
          `startTimestamp=${startTimestamp}&pageSize=${pageSize}&nextPageToken=${encodeURIComponent(last.nextPageToken ?? '')}`,
        ),
      )
    return pages
  }
  const ngo = await keyFor(service, 'ngo', ['signals:write'], 'ngo')
  await ask(service, 'POST', '/v1/banks', ngo.headers, { name: 'mine' })
  const handIn = async (count: number, more: object = {}) => {
    const hashes = Array.from({ length: count }, randomHashText)
    const answer = await ask(service, 'POST', '/v1/banks/mine/signals', ngo.headers, {
      signals: hashes.map((hash) => ({ type: 'pdq', hash, ...more })),
    })
    return { hashes, ids: answer.json<{ signals: { signalId: string }[] }>().signals.map(({ signalId }) => signalId) }
  }
  return { service, clock, keyWith, get, page, fetchAll, handIn, ngo, reader }
}

export const hashesOf = (pages: readonly Page[], status = 'Active') =>
  pages.flatMap(({ hashRecords }) =>
    hashRecords.flatMap(({ hashValue, hashStatus }) => (hashStatus === status ? [hashValue] : [])),
  )

/** A service with a bank, and fetchers that are told of withdrawals. */
export async function tellingWorld(t: Test, options: TestServiceOptions = {}) {
  const clock = { nowMs: Date.now() }
  const service = await startService(t, { now: () => clock.nowMs, ...options })
  const redis = await redisOf(t, service)
  const ngo = await keyFor(service, 'ngo', ['signals:write'], 'ngo')
  const makeBank = (name: string, more: object = {}) => ask(service, 'POST', '/v1/banks', ngo.headers, { name, ...more })
  await makeBank('mine')
  const handIn = async (hash: string, bank = 'mine') => {
    const payload = { signals: [{ type: 'pdq', hash }] }
    const answer = await ask(service, 'POST', `/v1/banks/${bank}/signals`, ngo.headers, payload)
    return answer.json<{ signals: { signalId: string }[] }>().signals[0]?.signalId ?? ''
  }
  /** Registers a picture of these hashes in the bank. The first hash decides its id. */
  const put = async (...texts: string[]) => {
    const { banks, identify, registration } = service.services
    const caller = identify(ngo.key)
    if (caller === undefined) throw new Error('a key is known once it is made')
    const signals = texts.flatMap((text) => {
      const hash = parseHash(text)
      return hash === undefined ? [] : [{ type: 'pdq', view: 'whole', quality: 90, hash } as const]
    })
    const bank = await banks.writable(caller, 'mine')
    const { id, revision } = await registration.pictureForBank(bank, { signals, ref: undefined, category: undefined })
    await registration.matchable(revision)
    return id
  }
  const remove = (id: string, bank = 'mine') => del(service.app, `/v1/banks/${bank}/signals/${id}`, ngo.headers)
  const fetcher = async (org = 'platform') => {
    const { key } = await keyFor(service, org, ['feed'])
    return { key, ...stopNciiFetcher(() => service.app, key) }
  }
  /** Moves the clock by a second, so that the next page has another timestamp. */
  const later = () => {
    clock.nowMs += 1000
  }
  const kept = async () => (await redis.keys('{tabir}:withdrawn-*')).filter((name) => !name.endsWith('withdrawn-last'))
  return { service, redis, ngo, makeBank, handIn, put, remove, fetcher, later, kept }
}
