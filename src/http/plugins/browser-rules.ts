// What browsers are told about answers: keep nothing, and where they are no page, run nothing, frame nowhere, guess no types. And whose
// pages may ask.

import type { IncomingMessage, ServerResponse } from 'node:http'
import cors from '@fastify/cors'
import fp from 'fastify-plugin'
import helmet from 'helmet'

export interface BrowserRules {
  /** Pages of these origins may read answers; none when empty. Exactly as a browser sends them, without patterns. */
  readonly origins: readonly string[]
  /** Does this process speak TLS itself, so that browsers may be told never to come without? */
  readonly isTls: boolean
}

export const NOT_KEPT = { 'cache-control': 'no-store' } as const

/** The page and the documentation set their own policies, which come later and win. */
export const browserRules = fp<BrowserRules>(
  async (app, { origins, isTls }) => {
    const headers = browserHeaders(isTls)
    app.addHook('onRequest', (_request, reply, done) => {
      reply.headers(headers)
      done()
    })
    if (origins.length === 0) return
    await app.register(cors, {
      origin: [...origins],
      methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
      allowedHeaders: ['authorization', 'content-type', 'idempotency-key', 'last-event-id'],
      exposedHeaders: ['ratelimit', 'ratelimit-policy', 'retry-after'],
      credentials: false,
      maxAge: 600,
    })
  },
  { name: 'browser-rules', fastify: '5.x' },
)

/** Asked once: they are the same for every answer, and to put them together anew took an eighth of the time of a match. */
export function browserHeaders(isTls: boolean): Record<string, string> {
  // No answer may stay on a device: it may hold a PIN, a key or a case, and even a script there would tell that the page was opened.
  const headers = new Map<string, string>(Object.entries(NOT_KEPT))
  const response: Pick<ServerResponse, 'setHeader' | 'removeHeader'> = {
    setHeader(name, value) {
      headers.set(name.toLowerCase(), String(value))
      return this as ServerResponse
    },
    removeHeader() {},
  }
  helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity: isTls,
    // For pages and browsers of long ago. An answer of JSON has no use for them, and each costs time in every answer.
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xFrameOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  })({} as IncomingMessage, response as ServerResponse, (error) => {
    if (error !== undefined) throw error
  })
  return Object.fromEntries(headers)
}
