// What browsers are told about answers that are no page: run nothing, frame nowhere, guess no types. And whose pages may ask.

import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import fp from 'fastify-plugin'

export interface BrowserRules {
  /** Pages of these origins may read answers; none when empty. Exactly as a browser sends them, without patterns. */
  readonly origins: readonly string[]
  /** Does this process speak TLS itself, so that browsers may be told never to come without? */
  readonly isTls: boolean
}

/** The page and the documentation set their own policies, which come later and win. */
export const browserRules = fp<BrowserRules>(
  async (app, { origins, isTls }) => {
    await app.register(helmet, {
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
