// Rate limits of routes, and limits of the HTTP server: one table each.

import { ownValue } from '../../packages/core/src/own-value.js'
import type { RouteScope } from '../domain/organisations/access.js'
import type { DelayRule, Shortage } from '../services/load/admission.js'

/**
 * by: who is limited. Addresses are counted in memory, per process, and never stored in any form (decision 0032).
 * counts: `requests`; or `queries`, counted by a handler before it answers (`consumeQuota`) or after it has sent (`chargeQuota`); or `pictures`, the cost
 * of decoding pictures and videos, including refused ones. A unit is 50 ms of a core: a photograph of 12 megapixels costs 1 or 2, a video 4 per MB; or
 * `videos`, what a video cost in the end, which its size does not show: a photograph shown for ten minutes has 6 MB, and takes minutes.
 * max: the maximum for each exposure (`TABIR_EXPOSURE`). Infinity is not counted.
 * whenStoreUnavailable: `open` continues with the counts of this process; `closed` refuses until all processes can be counted again.
 */
export interface LimitRow {
  readonly by: 'address' | 'key' | 'org' | 'case'
  readonly counts: 'requests' | 'queries' | 'pictures' | 'videos'
  readonly windowS: number
  readonly max: Readonly<Record<Exposure, number>>
  readonly whenStoreUnavailable: 'open' | 'closed'
}

export const EXPOSURES = ['private', 'public'] as const
export type Exposure = (typeof EXPOSURES)[number]

const MINUTE_S = 60
const HOUR_S = 3600
const DAY_S = 86_400
const NONE = Number.POSITIVE_INFINITY

export const LIMITS = {
  /** Routes without a key: pages, documentation, health. */
  anonymous: row('address', 'requests', MINUTE_S, { private: 60_000, public: 3000 }, 'open'),
  /** Opening a case, and the proof-of-work challenge. Many people may share an address. */
  'case-opening': row('address', 'requests', MINUTE_S, { private: 6000, public: 60 }, 'open'),
  /** Tries of a number and a PIN. Each case also has a limit for its whole life. */
  'case-login': row('address', 'requests', MINUTE_S, { private: 6000, public: 60 }, 'open'),
  /** Requests with an unknown key or token. They do not limit valid ones from the same address. */
  'auth-failures': row('address', 'requests', MINUTE_S, { private: NONE, public: 600 }, 'open'),
  /** The routes of one case. */
  case: row('case', 'requests', MINUTE_S, { private: 6000, public: 600 }, 'open'),
  /** Pictures of one case, and of all cases behind one address. Rejected pictures count as well. */
  'case-images': row('case', 'pictures', HOUR_S, { private: 400_000, public: 4000 }, 'open'),
  /** Hashes that one address sends to cases, and reads back from them: somewhat more than a new case takes. The longest video has 10,000, a photograph 34. */
  'address-hashes': row('address', 'queries', MINUTE_S, { private: NONE, public: 60_000 }, 'open'),
  'address-images': row('address', 'pictures', MINUTE_S, { private: NONE, public: 1200 }, 'open'),
  /** A quarter of a core. A longer video is taken, and the address waits accordingly: 1080p of ten minutes takes a minute. */
  'address-videos': row('address', 'videos', MINUTE_S, { private: NONE, public: 300 }, 'open'),
  'match-requests': row('key', 'requests', MINUTE_S, { private: 1_200_000, public: 120_000 }, 'open'),
  /** Queries of a platform in a day, over all its keys. */
  'match-queries': row('org', 'queries', DAY_S, { private: NONE, public: 100_000_000 }, 'open'),
  feedback: row('key', 'requests', MINUTE_S, { private: 120_000, public: 12_000 }, 'open'),
  'bank-writes': row('key', 'requests', MINUTE_S, { private: 60_000, public: 6000 }, 'open'),
  'assisted-cases': row('key', 'requests', MINUTE_S, { private: 6000, public: 600 }, 'open'),
  /** Closed: these routes give out hashes, so they refuse while the hashes cannot be counted. */
  'feed-requests': row('key', 'requests', MINUTE_S, { private: 6000, public: 600 }, 'closed'),
  /** Signals that an organisation reads from feeds in a day, over all its keys. A page counts as at least one. */
  'feed-signals': row('org', 'queries', DAY_S, { private: NONE, public: 50_000_000 }, 'closed'),
  /** Open, because operators must have access while the store is unavailable. */
  operator: row('key', 'requests', MINUTE_S, { private: 6000, public: 1200 }, 'open'),
} as const satisfies Readonly<Record<string, LimitRow>>

export type LimitName = keyof typeof LIMITS

/** The limits of a route by its scope. A scope without a line here does not compile, so no scope is left without limits. */
const BY_SCOPE = {
  public: ['anonymous'],
  case: ['case'],
  key: ['operator'],
  match: ['match-requests', 'match-queries'],
  'match:distance': ['match-requests', 'match-queries'],
  'signals:write': ['bank-writes'],
  feed: ['feed-requests', 'feed-signals'],
  'feed:all-views': ['feed-requests', 'feed-signals'],
  feedback: ['feedback'],
  'cases:write': ['assisted-cases'],
  webhooks: ['operator'],
  admin: ['operator'],
} as const satisfies Readonly<Record<RouteScope, readonly LimitName[]>>

/** Routes with other limits than their scope has. */
const BY_ROUTE = {
  'POST /v1/cases': ['case-opening'],
  'GET /v1/cases/challenge': ['case-opening'],
  'POST /v1/cases/:caseNumber/tokens': ['case-login'],
  'POST /v1/cases/:caseNumber/hashes': ['case', 'address-hashes'],
  'GET /v1/cases/:caseNumber/hashes': ['case', 'address-hashes'],
  'POST /v1/cases/:caseNumber/which': ['case', 'address-hashes'],
  'POST /v1/cases/:caseNumber/images': ['case', 'case-images', 'address-images'],
  'POST /v1/cases/:caseNumber/videos': ['case', 'case-images', 'address-images', 'address-videos'],
  // Says of each hash whether it is registered, as a question does.
  'POST /stopncii/v1/SubmitFeedback': ['feedback', 'match-requests', 'match-queries'],
  // HMA's way to read what is stored, one hash at a time.
  'GET /c/bank/:name/content/:id': ['bank-writes', 'feed-signals'],
  'GET /hma/:key/c/bank/:name/content/:id': ['bank-writes', 'feed-signals'],
  // A probe that is refused takes the process out of service.
  'GET /health/live': [],
  'GET /health/ready': [],
} as const satisfies Readonly<Record<string, readonly LimitName[]>>

/** Limits that belong to no route. `noteFailure` in `plugins/rate-limits.ts` counts them. */
type OfNoRoute = 'auth-failures'
type OfRoutes = (typeof BY_SCOPE)[RouteScope][number] | (typeof BY_ROUTE)[keyof typeof BY_ROUTE][number]
// A limit that nothing counts does not compile: it is missing here.
;({}) satisfies Readonly<Record<Exclude<LimitName, OfRoutes | OfNoRoute>, never>>

export function limitsOf(method: string, url: string, scope: RouteScope): readonly LimitName[] {
  // HEAD is GET without the body, and as much work.
  return ownValue(BY_ROUTE, `${method === 'HEAD' ? 'GET' : method} ${url}`) ?? BY_SCOPE[scope]
}

export const ROUTES_WITH_LIMITS = Object.keys(BY_ROUTE)

/** Limits that the server applies before any route. */
export interface ServerLimits {
  /** Size of a JSON body, unless the route has its own limit. */
  readonly bodyBytes: number
  /** Time for a whole request, such as an import of millions of lines. Idle and slow requests are cut much sooner. */
  readonly requestMs: number
  /** Maximum time without a byte in either direction. Longer than any answer takes: the client has disconnected. */
  readonly idleMs: number
  readonly headersMs: number
  readonly headerBytes: number
  readonly headerCount: number
  /** Time between two requests of one connection. */
  readonly keepAliveMs: number
  /** How often Node checks these times. */
  readonly checkIntervalMs: number
  /** Connections at one time. */
  readonly connections: number
  /** Connections at one time from one address, which many people, or a platform's machines, may share. */
  readonly connectionsOfAddress: Readonly<Record<Exposure, number>>
  /** Minimum average over `slowForMs`; a slower body is cut, unless bytes wait because this process does not read them. */
  readonly minBodyBytesPerS: number
  readonly slowForMs: number
  /** Longer than any id, so that the schema and not the router rejects an id that is too long, with the usual problem. */
  readonly paramChars: number
}

export const SERVER_LIMITS: ServerLimits = {
  bodyBytes: 1 << 20,
  requestMs: 3_600_000,
  idleMs: 60_000,
  headersMs: 10_000,
  headerBytes: 16 << 10,
  headerCount: 100,
  keepAliveMs: 72_000,
  checkIntervalMs: 2000,
  connections: 10_000,
  connectionsOfAddress: { private: 5000, public: 600 },
  minBodyBytesPerS: 256,
  slowForMs: 15_000,
  paramChars: 512,
}

/**
 * Delays beyond which bulk requests of programs are refused (`plugins/request-admission.ts`). Admitted requests then wait little longer than usual,
 * even at several times the load that this process can serve (`npm run bench load`).
 */
export const ADMISSION: Readonly<Record<Shortage, DelayRule>> = {
  'event-loop': { steadyMs: 10, longMs: 25, burstMs: 500, intervalMs: 250, calmMs: 1000 },
  pictures: { steadyMs: 45, longMs: 120, burstMs: 400, intervalMs: 300, calmMs: 1000 },
}

function row(
  by: LimitRow['by'],
  counts: LimitRow['counts'],
  windowS: number,
  most: LimitRow['max'],
  whenStoreUnavailable: LimitRow['whenStoreUnavailable'],
): LimitRow {
  return { by, counts, windowS, max: most, whenStoreUnavailable }
}
