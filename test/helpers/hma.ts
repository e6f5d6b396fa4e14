// A client of HMA, as small as they come.

import type { InjectOptions } from 'fastify'
import { z } from 'zod'
import type { TestService } from './service.js'

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
