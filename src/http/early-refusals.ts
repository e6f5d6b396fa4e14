// Refuses what is to come again before a request is made of it: while there is too much to do, refusing must cost next to nothing.

import { randomUUID } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Problem } from '../domain/problem.js'
import type { RequestFacts } from './plugins/request-log.js'
import { PROBLEMS } from './problem-table.js'
import { PROBLEM_MEDIA_TYPE, problemBody } from './problems.js'

/** What a route needs, whose requests may be put off. */
export interface SheddableRoute {
  readonly pictures: boolean
}

export interface EarlyRefusals {
  /** To be told of each such route. Those with parameters in their address are left to whoever reads addresses. */
  add(method: string, url: string, route: SheddableRoute): void
  /** @returns whether the request has its answer. */
  refuse(request: IncomingMessage, response: ServerResponse): boolean
}

export interface EarlyRefusalParts {
  /** The refusal, or nothing for what is let in. */
  readonly problemFor: (route: SheddableRoute, request: IncomingMessage, response: ServerResponse) => Problem | undefined
  /** Told of what is let in: whoever asks again, of the same request, may be given another answer. */
  readonly letIn: (request: IncomingMessage) => void
  /** Of every answer. */
  readonly headers: Readonly<Record<string, string>>
  /** Told as of any other request. */
  readonly note: (facts: RequestFacts, requestId: string) => void
}

export function earlyRefusals({ problemFor, letIn, headers, note }: EarlyRefusalParts): EarlyRefusals {
  const routes = new Map<string, SheddableRoute & { readonly url: string }>()
  return {
    add(method, url, route) {
      if (!/[:*]/.test(url)) routes.set(`${method} ${url}`, { ...route, url })
    },
    refuse(request, response) {
      const { method = '', url = '' } = request
      const end = url.indexOf('?')
      const route = routes.get(`${method} ${end < 0 ? url : url.slice(0, end)}`)
      // Pages of other origins are told by other headers whether they may read an answer.
      if (route === undefined || request.headers.origin !== undefined) return false
      const problem = problemFor(route, request, response)
      if (problem === undefined) {
        letIn(request)
        return false
      }
      const requestId = randomUUID()
      const body = JSON.stringify(problemBody(problem, requestId))
      const { status } = PROBLEMS[problem.code]
      response.writeHead(status, {
        ...headers,
        ...(problem.retryAfterS !== undefined && { 'retry-after': String(problem.retryAfterS) }),
        'content-type': PROBLEM_MEDIA_TYPE,
        'content-length': Buffer.byteLength(body),
      })
      response.end(body)
      note({ method, route: route.url, status, ms: 0, code: problem.code }, requestId)
      return true
    },
  }
}

/** Puts them before whatever answers this server's requests; not once it closes, when answers say more. */
export function refuseBefore(app: FastifyInstance, { refuse }: EarlyRefusals): void {
  let isClosing = false
  app.addHook('preClose', async () => {
    isClosing = true
  })
  app.addHook('onReady', async () => {
    const listeners = app.server.listeners('request') as RequestListener[]
    app.server.removeAllListeners('request')
    app.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      if (!isClosing && refuse(request, response)) return
      for (const listener of listeners) listener.call(app.server, request, response)
    })
  })
}
