// Refuses requests under overload before Fastify handles them, because refusing must be much cheaper than answering.

import { randomUUID } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Problem } from '../domain/problem.js'
import type { RequestFacts } from './plugins/request-log.js'
import { PROBLEMS } from './problem-table.js'
import { PROBLEM_MEDIA_TYPE, problemBody } from './problems.js'

/** A route whose requests may be refused under overload. */
export interface SheddableRoute {
  /** Whether it needs a worker that hashes pictures. */
  readonly pictures: boolean
}

export interface EarlyRefusals {
  /** Adds a route. Ignores routes with parameters in their path; the admission plugin handles them. */
  add(method: string, url: string, route: SheddableRoute): void
  /** @returns whether the request was refused and answered. */
  refuse(request: IncomingMessage, response: ServerResponse): boolean
}

export interface EarlyRefusalParts {
  /** @returns the problem to answer with; `undefined` if the request is admitted. */
  readonly problemFor: (route: SheddableRoute, request: IncomingMessage, response: ServerResponse) => Problem | undefined
  /** Called for an admitted request, so that it is not judged a second time. */
  readonly onAdmitted: (request: IncomingMessage) => void
  /** Headers of every answer. */
  readonly headers: Readonly<Record<string, string>>
  /** Logs and measures the refused request, as any other. */
  readonly note: (facts: RequestFacts, requestId: string) => void
}

export function createEarlyRefusals({ problemFor, onAdmitted, headers, note }: EarlyRefusalParts): EarlyRefusals {
  const routes = new Map<string, SheddableRoute & { readonly url: string }>()
  return {
    add(method, url, route) {
      if (!/[:*]/.test(url)) routes.set(`${method} ${url}`, { ...route, url })
    },
    refuse(request, response) {
      const { method = '', url = '' } = request
      const end = url.indexOf('?')
      const route = routes.get(`${method} ${end < 0 ? url : url.slice(0, end)}`)
      // Requests of other origins need CORS headers, which Fastify's plugin adds.
      if (route === undefined || request.headers.origin !== undefined) return false
      const problem = problemFor(route, request, response)
      if (problem === undefined) {
        onAdmitted(request)
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

/** Runs `refuse` before the server's other request listeners, until the server closes: then Fastify answers, with `connection: close`. */
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
