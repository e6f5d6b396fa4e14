// A minimal client of HMA's API.

import type { InjectOptions } from 'fastify'
import type { Test } from 'tap'
import { z } from 'zod'
import { keyFor, startService, type TestService, type TestServiceOptions } from './service.js'

type Headers = Readonly<Record<string, string>>

export const Lookup = z.record(z.string(), z.array(z.strictObject({ bank_content_id: z.int(), distance: z.string() })))

export function hmaClient({ app }: TestService, headers: Headers, base = '') {
  return async (
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: string,
    payload?: InjectOptions['payload'],
    more: Headers = {},
  ) => {
    const answer = await app.inject({
      method,
      url: base + url,
      headers: { ...headers, ...more },
      ...(payload !== undefined && { payload }),
    })
    const isJson = /^application\/json/.test(String(answer.headers['content-type']))
    return { status: answer.statusCode, body: isJson ? answer.json<unknown>() : answer.body }
  }
}

export const HMA_SCOPES = ['match', 'match:distance', 'signals:write'] as const

/** A platform with a bank MINE, and its most frequent calls. */
export async function hmaWorld(t: Test, options: TestServiceOptions = {}) {
  const service = await startService(t, options)
  const key = await keyFor(service, 'platform', HMA_SCOPES)
  const hma = hmaClient(service, key.headers)
  await hma('POST', '/c/banks', { name: 'MINE' })
  const add = async (hash: string, bank = 'MINE') => {
    const { body } = await hma('POST', `/c/bank/${bank}/signal`, { pdq: hash })
    return (body as { id: number }).id
  }
  const look = async (hash: string, more = '') => (await hma('GET', `/m/lookup?signal_type=pdq&signal=${hash}${more}`)).body
  const raw = async (hash: string) => (await hma('GET', `/m/raw_lookup?signal_type=pdq&signal=${hash}`)).body
  return { service, key, hma, add, look, raw }
}
