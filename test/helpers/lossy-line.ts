// A connection that delivers each request and loses each answer, as when it breaks at that moment.

import { connect } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { listen } from './named-redis.js'

export interface LostRequest {
  readonly url: string
  readonly body?: object | undefined
  readonly headers?: Readonly<Record<string, string>>
}

/** @returns a function that sends a request whose answer is lost. */
export async function lossyLine(t: Test, app: FastifyInstance): Promise<(request: LostRequest) => Promise<void>> {
  const target = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const { port } = await listen(t, (caller) => {
    const service = connect(Number(target.port), target.hostname)
    caller.pipe(service)
    // The first byte of an answer comes when the request has taken effect.
    service.once('data', () => {
      caller.destroy()
      service.destroy()
    })
    caller.on('error', () => service.destroy())
    service.on('error', () => caller.destroy())
  })
  return async ({ url, body, headers = {} }) => {
    const answer = await fetch(new URL(url, `http://127.0.0.1:${port}`), {
      method: 'POST',
      headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }).catch(() => undefined)
    if (answer !== undefined) throw new Error('an answer came through')
  }
}
