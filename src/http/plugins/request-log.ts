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

/** Writes the line of a request. */
export type LogRequest = (log: FastifyBaseLogger, facts: RequestFacts) => void

export interface RequestLogOptions {
  /** Called for each request. */
  readonly observe: (facts: RequestFacts) => void
  readonly logRequest: LogRequest
  /** Share of successful requests that are logged, from 0 to 1. Refusals and errors are logged whatever it is. */
  readonly sample?: number
  /** Returns a number from 0 to below 1. */
  readonly random?: () => number
}

/** Requests with this status or a higher one are logged whatever the sample is: somebody may ask about them. */
const REFUSED_FROM = 400

export const requestLog = fp<RequestLogOptions>(
  async (app, { observe, logRequest, sample = 1, random = Math.random }) => {
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

/** Refusals that a caller gets as fast as it asks, so that it could fill a disk with their lines. */
const LIMITED: ReadonlySet<ProblemCode | null> = new Set<ProblemCode>(['rate-limited', 'overloaded'])
const MAX_LIMITED_PER_S = 10

/**
 * Logs all requests, but at most ten refusals by limits a second. The next line of one says how many were left out before it (`unlogged`). Metrics
 * count all.
 * @param clock [ms] monotonic.
 */
export function createRequestLog(clock: () => number): LogRequest {
  let second = Number.NEGATIVE_INFINITY
  let logged = 0
  let unlogged = 0
  const hasRoom = (): boolean => {
    const now = Math.floor(clock() / 1000)
    if (now !== second) logged = 0
    second = now
    return logged++ < MAX_LIMITED_PER_S
  }
  return (log, { code, storeCause = null, ...facts }) => {
    const isLimited = LIMITED.has(code)
    if (isLimited && !hasRoom()) {
      unlogged++
      return
    }
    const before = isLimited && unlogged > 0 ? { unlogged } : {}
    if (isLimited) unlogged = 0
    log.info({ ...facts, ...(code !== null && { code }), ...(storeCause !== null && { storeCause }), ...before }, 'request')
  }
}
