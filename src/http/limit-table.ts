// How much may be asked, by whom, in which time: one table for the api, one for the server under it.

import type { RouteScope } from '../domain/organisations/access.js'
import { ownValue } from '../domain/own-value.js'
import type { DelayRule, Shortage } from '../services/load/admission.js'

/**
 * by: whom a row counts. An address is counted in the memory of one process and is nowhere else, in whatever form: decision 0032 says
 * that none is remembered.
 * counts: requests; or queries, which a handler counts before the answer (`consumeQuota`) or after it was sent (`spent`); or what pictures cost to
 *   decode, refused ones too, in 50 ms of a core: a photograph of 12 megapixels is 1 or 2.
 * most: for a deployment among acquaintances, and for one that anybody may reach (`TABIR_EXPOSURE`). Infinity is not counted.
 * whenStoreUnavailable: go on with what this process has counted (open), or refuse what cannot be counted everywhere (closed).
 */
export interface LimitRow {
  readonly by: 'address' | 'key' | 'org' | 'case'
  readonly counts: 'requests' | 'queries' | 'pictures'
  readonly windowS: number
  readonly most: Readonly<Record<Exposure, number>>
  readonly whenStoreUnavailable: 'open' | 'closed'
}

export const EXPOSURES = ['private', 'public'] as const
export type Exposure = (typeof EXPOSURES)[number]

const MINUTE_S = 60
const HOUR_S = 3600
const DAY_S = 86_400
const NONE = Number.POSITIVE_INFINITY

export const LIMITS = {
  /** Pages, documentation, health: whatever needs no key. */
  anonymous: row('address', 'requests', MINUTE_S, { private: 60_000, public: 3000 }, 'open'),
  /** Opening a case, and asking for the challenge. People behind one address often need it together. */
  'case-opening': row('address', 'requests', MINUTE_S, { private: 6000, public: 60 }, 'open'),
  /** A number and a PIN. Beside it, each case has a limit of its own for its whole life. */
  'case-login': row('address', 'requests', MINUTE_S, { private: 6000, public: 60 }, 'open'),
  /** Keys and tokens that open nothing: they are refused in other words then, and no key that is good is held up by them. */
  'auth-failures': row('address', 'requests', MINUTE_S, { private: NONE, public: 600 }, 'open'),
  /** The routes of one case. */
  case: row('case', 'requests', MINUTE_S, { private: 6000, public: 600 }, 'open'),
  /** Pictures of one case, and of all cases behind one address: what is too costly or damaged counts as well as what is registered. */
  'case-images': row('case', 'pictures', HOUR_S, { private: 400_000, public: 4000 }, 'open'),
  'address-images': row('address', 'pictures', MINUTE_S, { private: NONE, public: 1200 }, 'open'),
  'match-requests': row('key', 'requests', MINUTE_S, { private: 1_200_000, public: 120_000 }, 'open'),
  /** What a platform may ask in a day: all its keys together. */
  'match-queries': row('org', 'queries', DAY_S, { private: NONE, public: 100_000_000 }, 'open'),
  feedback: row('key', 'requests', MINUTE_S, { private: 120_000, public: 12_000 }, 'open'),
  'bank-writes': row('key', 'requests', MINUTE_S, { private: 60_000, public: 6000 }, 'open'),
  'assisted-cases': row('key', 'requests', MINUTE_S, { private: 6000, public: 600 }, 'open'),
  /** Bits leave through these routes, so they are closed when nobody can say how many left. */
  'feed-requests': row('key', 'requests', MINUTE_S, { private: 6000, public: 600 }, 'closed'),
  /** Signals that an organisation is told of by a feed in a day, all its keys together; a page counts as one at least. */
  'feed-signals': row('org', 'queries', DAY_S, { private: NONE, public: 50_000_000 }, 'closed'),
  /** An operator who mends something must get in while the store is unavailable. */
  operator: row('key', 'requests', MINUTE_S, { private: 6000, public: 1200 }, 'open'),
} as const satisfies Readonly<Record<string, LimitRow>>

export type LimitName = keyof typeof LIMITS

/** What counts for a route by its scope. A scope without a line here does not compile, so there is no route without a limit. */
const BY_SCOPE = {
  public: ['anonymous'],
  case: ['case'],
  key: ['operator'],
  match: ['match-requests', 'match-queries'],
  'match:distance': ['match-requests', 'match-queries'],
  'signals:write': ['bank-writes'],
  feed: ['feed-requests', 'feed-signals'],
  feedback: ['feedback'],
  'cases:write': ['assisted-cases'],
  webhooks: ['operator'],
  admin: ['operator'],
} as const satisfies Readonly<Record<RouteScope, readonly LimitName[]>>

/** Routes that count otherwise than their scope says. */
const BY_ROUTE = {
  'POST /v1/cases': ['case-opening'],
  'GET /v1/cases/challenge': ['case-opening'],
  'POST /v1/cases/:caseNumber/tokens': ['case-login'],
  'POST /v1/cases/:caseNumber/images': ['case', 'case-images', 'address-images'],
  // Says of each hash whether it is registered, as a question does.
  'POST /stopncii/v1/SubmitFeedback': ['feedback', 'match-requests', 'match-queries'],
  // HMA's way to read what is stored, one hash at a time.
  'GET /c/bank/:name/content/:id': ['bank-writes', 'feed-signals'],
  'GET /hma/:key/c/bank/:name/content/:id': ['bank-writes', 'feed-signals'],
  // A probe that is refused takes the process out of service.
  'GET /health/live': [],
  'GET /health/ready': [],
} as const satisfies Readonly<Record<string, readonly LimitName[]>>

/** Limits of no route. `noteFailure` in `plugins/rate-limits.ts` counts these. */
type OfNoRoute = 'auth-failures'
type OfRoutes = (typeof BY_SCOPE)[RouteScope][number] | (typeof BY_ROUTE)[keyof typeof BY_ROUTE][number]
// A limit that nothing counts does not compile: it is missing here.
;({}) satisfies Readonly<Record<Exclude<LimitName, OfRoutes | OfNoRoute>, never>>

export function limitsOf(method: string, url: string, scope: RouteScope): readonly LimitName[] {
  // HEAD is GET without the body, and as much work.
  return ownValue(BY_ROUTE, `${method === 'HEAD' ? 'GET' : method} ${url}`) ?? BY_SCOPE[scope]
}

export const ROUTES_WITH_LIMITS = Object.keys(BY_ROUTE)

/** What the server cuts by itself, before or beside any route. */
export interface ServerLimits {
  /** Of a JSON body, where a route says nothing else. */
  readonly bodyBytes: number
  /** For a whole request: an import of millions of lines is one. What stands still or trickles is cut long before. */
  readonly requestMs: number
  /** Without a byte either way. Longer than an answer may take, so that silence means that nobody is there. */
  readonly idleMs: number
  readonly headersMs: number
  readonly headerBytes: number
  readonly headerCount: number
  /** Between two requests of one connection. */
  readonly keepAliveMs: number
  /** How often Node looks for what is late. */
  readonly checkIntervalMs: number
  /** At one time, of all callers. */
  readonly connections: number
  /** At one time, of one address: many people may share one, and a platform's machines too. */
  readonly connectionsOfAddress: Readonly<Record<Exposure, number>>
  /** A body that comes slower than this, for so long, is cut: unless it is us who do not read. */
  readonly minBodyBytesPerS: number
  readonly slowForMs: number
  /** Longer than any id: what is too long is refused by its schema, in the same words as everything else. */
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
 * Beyond which programs are told to come again (`plugins/request-admission.ts`): so that who is let in waits little longer than usual, also while
 * several times as much is asked as can be answered (`npm run bench:load`).
 */
export const ADMISSION: Readonly<Record<Shortage, DelayRule>> = {
  turns: { steadyMs: 10, longMs: 25, burstMs: 500, intervalMs: 250, calmMs: 1000 },
  pictures: { steadyMs: 45, longMs: 120, burstMs: 400, intervalMs: 300, calmMs: 1000 },
}

function row(
  by: LimitRow['by'],
  counts: LimitRow['counts'],
  windowS: number,
  most: LimitRow['most'],
  whenStoreUnavailable: LimitRow['whenStoreUnavailable'],
): LimitRow {
  return { by, counts, windowS, most, whenStoreUnavailable }
}
