// A webhook endpoint, and a messenger in this process.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook as Verifier } from 'standardwebhooks'
import type { Ending } from './service.js'

export interface Received {
  readonly id: string
  readonly body: { readonly type: string; readonly timestamp: string; readonly data: Record<string, unknown> }
  readonly headers: Record<string, string>
  readonly text: string
}

/** What an endpoint answers; `silence` for nothing at all. */
export type Answering = number | 'silence' | { readonly status: number; readonly headers: Record<string, string> }

export async function startEndpoint(t: Ending) {
  const received: Received[] = []
  let answering: (message: Received) => Answering = () => 204
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
    const message = { id: headers['webhook-id'] ?? '', body: JSON.parse(text), headers, text }
    received.push(message)
    const answer = answering(message)
    if (answer === 'silence') return
    const { status, headers: more } = typeof answer === 'number' ? { status: answer, headers: {} } : answer
    response.writeHead(status, more).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin,
    url: `${origin}/hook`,
    received,
    ids: () => received.map(({ id }) => id),
    answer(how: (message: Received) => Answering) {
      answering = how
    },
  }
}

/** @throws if no signature of a message is from this secret. */
export function verified(secret: string, { text, headers }: Received): unknown {
  return new Verifier(secret).verify(text, headers)
}
