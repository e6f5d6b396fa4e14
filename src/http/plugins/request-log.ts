// One log line and one measurement per request: route pattern, status, time, problem code. No URL, address, header or body.

import type { FastifyBaseLogger } from 'fastify'
import fp from 'fastify-plugin'
import type { ProblemCode } from '../../domain/problem.js'
import type { UnavailableCause } from '../../domain/store-unavailable.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Problem code of the answer, if it was a refusal. */
    problemCode: ProblemCode | null
    /** Why the store was unavailable, if that caused the refusal. */
    storeCause: UnavailableCause | null
  }
}

export interface RequestFacts {
  readonly method: string
  /** The route pattern, never the path: a path may name a case. */
  readonly route: string
  readonly status: number
  readonly ms: number
  readonly code: ProblemCode | null
  readonly storeCause?: UnavailableCause | null
}

export interface RequestLogOptions {
  /** Called for each request. */
  readonly observe: (facts: RequestFacts) => void
  /** Share of successful requests that are logged, from 0 to 1. Refusals and errors are always logged. */
  readonly sample?: number
  /** Returns a number from 0 to below 1. */
  readonly random?: () => number
}

/** Requests with this status or a higher one are always logged: somebody may ask about them. */
const REFUSED_FROM = 400

export const requestLog = fp<RequestLogOptions>(
  async (app, { observe, sample = 1, random = Math.random }) => {
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
      const isSampled = sample < 1 && facts.status < REFUSED_FROM
      if (!isSampled) logRequest(request.log, facts)
      // The line states the share, so that log counts can be scaled up.
      else if (random() < sample) logRequest(request.log.child({ sample }), facts)
    })
  },
  { name: 'request-log', fastify: '5.x' },
)

export function logRequest(log: FastifyBaseLogger, { code, storeCause = null, ...facts }: RequestFacts): void {
  log.info({ ...facts, ...(code !== null && { code }), ...(storeCause !== null && { storeCause }) }, 'request')
}
