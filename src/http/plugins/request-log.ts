// One line and one measurement a request: route pattern, status, time, code of a refusal. No URL, address, header or body.

import type { FastifyBaseLogger } from 'fastify'
import fp from 'fastify-plugin'
import type { ProblemCode } from '../../domain/problem.js'
import type { UnavailableCause } from '../../domain/store-unavailable.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** The refusal that was answered, if one was. */
    problemCode: ProblemCode | null
    /** Why the store could not be used, where that was the reason. */
    storeCause: UnavailableCause | null
  }
}

export interface RequestFacts {
  readonly method: string
  /** The pattern, never the path: a path may name a case. */
  readonly route: string
  readonly status: number
  readonly ms: number
  readonly code: ProblemCode | null
  readonly storeCause?: UnavailableCause | null
}

export interface RequestLogOptions {
  /** Told of each request. */
  readonly observe: (facts: RequestFacts) => void
  /** The share of requests that were answered as they should be of which there is a line; refusals and faults have one always. */
  readonly sample?: number
  /** From 0 to below 1. */
  readonly random?: () => number
}

/** From here on a line tells of something that somebody may ask about. */
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
      // The share is in the line, so that whoever counts lines knows what one stands for.
      else if (random() < sample) logRequest(request.log.child({ sample }), facts)
    })
  },
  { name: 'request-log', fastify: '5.x' },
)

export function logRequest(log: FastifyBaseLogger, { code, storeCause = null, ...facts }: RequestFacts): void {
  log.info({ ...facts, ...(code !== null && { code }), ...(storeCause !== null && { storeCause }) }, 'request')
}
