// One line and one measurement a request: route pattern, status, time, code of a refusal. No URL, address, header or body.

import type { FastifyBaseLogger } from 'fastify'
import fp from 'fastify-plugin'
import type { ProblemCode } from '../../domain/problem.js'
import type { AwayCause } from '../../domain/store-away.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** The refusal that was answered, if one was. */
    problemCode: ProblemCode | null
    /** Why the store could not be used, where that was the reason. */
    storeCause: AwayCause | null
  }
}

export interface RequestFacts {
  readonly method: string
  /** The pattern, never the path: a path may name a case. */
  readonly route: string
  readonly status: number
  readonly ms: number
  readonly code: ProblemCode | null
  readonly storeCause?: AwayCause | null
}

export const requestLog = fp<{ readonly observe: (facts: RequestFacts) => void }>(
  async (app, { observe }) => {
    app.decorateRequest('problemCode', null)
    app.decorateRequest('storeCause', null)
    app.addHook('onResponse', async (request, reply) => {
      const facts: RequestFacts = {
        method: request.method,
        route: request.routeOptions.url ?? 'unknown',
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        code: request.problemCode,
        storeCause: request.storeCause,
      }
      observe(facts)
      logRequest(request.log, facts)
    })
  },
  { name: 'request-log', fastify: '5.x' },
)

export function logRequest(log: FastifyBaseLogger, { code, storeCause = null, ...facts }: RequestFacts): void {
  log.info({ ...facts, ...(code !== null && { code }), ...(storeCause !== null && { storeCause }) }, 'request')
}
