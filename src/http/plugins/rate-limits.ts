// Counts each request against the limits of its route, and sends the remaining quota (draft-ietf-httpapi-ratelimit-headers).

import type { FastifyReply, FastifyRequest, onSendHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { namesOf } from '../../../packages/core/src/own-value.js'
import { Problem } from '../../domain/problem.js'
import { FREE, type HashingFor } from '../../services/intake/hashing.js'
import type { PictureSender } from '../../services/intake/picture-shares.js'
import type { Limit, LimitCounter } from '../../services/load/limits.js'
import { type Exposure, LIMITS, type LimitName, type LimitRow, limitsOf } from '../limit-table.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Names of the limits that this route counts against, from http/limit-table.ts. */
    limits?: readonly LimitName[]
    /**
     * Required of a route whose scope, or own row, has a limit that counts queries: else the server does not start. `counted`: the handler counts
     * them, or its answer is withheld. `none`: it answers no query, and gives out no hash but the caller's own.
     */
    queries?: 'counted' | 'none'
    /** The same limits as the `RateLimit-Policy` header. */
    limitPolicy?: string
  }
  interface FastifyRequest {
    /** Counts the queries of a request, if its route limits queries. 0 where this request has none. @throws {Problem} rate-limited */
    consumeQuota: (reply: FastifyReply, amount: number) => void
    /** Counts signals that were already sent. @returns whether the caller may have more. */
    chargeQuota: (amount: number) => boolean
    /** Whether the handler called `consumeQuota`. */
    hasCounted: boolean
    /** The sender for whom pictures of this request are hashed, and the function that counts their cost. */
    hashingFor: (reply: FastifyReply) => HashingFor
  }
}

export interface LimitOptions {
  readonly counter: LimitCounter
  readonly exposure: Exposure
  /** Overrides the maximums of the table. */
  readonly most: Partial<Readonly<Record<LimitName, number>>>
}

export type LimitsHere = Partial<Readonly<Record<LimitName, Limit>>>

/** @returns the limits that are counted in this deployment. */
export function limitsHere({ exposure, most }: Pick<LimitOptions, 'exposure' | 'most'>): LimitsHere {
  const here: Partial<Record<LimitName, Limit>> = {}
  for (const name of namesOf(LIMITS)) {
    const row: LimitRow = LIMITS[name]
    const maxHere = most[name] ?? row.max[exposure]
    if (maxHere === Number.POSITIVE_INFINITY) continue
    const isLocal = row.by === 'address'
    here[name] = { name, windowS: row.windowS, most: maxHere, isLocal, failsClosed: row.whenStoreUnavailable === 'closed' }
  }
  return here
}

/** Register after authentication, which identifies the caller. */
export const limits = fp<{ readonly counter: LimitCounter; readonly here: LimitsHere }>(
  async (app, { counter, here }) => {
    app.decorateRequest('consumeQuota', () => {})
    app.decorateRequest('chargeQuota', () => true)
    app.decorateRequest('hasCounted', false)
    app.decorateRequest('hashingFor', () => ({ group: '', member: '', ...FREE }))
    app.addHook('onRoute', (route) => {
      const { config, method, url } = route
      if (config?.scope === undefined) return
      const all = limitsOf(String(method), url, config.scope)
      if (all.some((name) => LIMITS[name].counts === 'queries') !== (config.queries !== undefined))
        throw new Error(`${String(method)} ${url} must declare \`queries\` if it has a limit on queries, and only then`)
      if (config.queries === 'counted') route.onSend = [...[route.onSend ?? []].flat(), withholdUncounted]
      const own = all.filter((name) => here[name] !== undefined)
      const limitPolicy = own.map((name) => `"${name}";q=${here[name]?.most};w=${here[name]?.windowS}`).join(', ')
      route.config = { ...config, limits: own, limitPolicy } // a copy: routes may share a config
    })

    /** Counts `amount`. @returns the value of the `RateLimit` header, appended to `before`. */
    const take = (
      request: FastifyRequest,
      reply: FastifyReply,
      counts: LimitRow['counts'],
      amount: number,
      before: string,
    ) => {
      const { limits = [], limitPolicy } = request.routeOptions.config
      let said = before
      let refusal: Problem | undefined
      for (const name of limits) {
        const limit = here[name]
        if (limit === undefined || LIMITS[name].counts !== counts) continue
        const who = whoOf(request, LIMITS[name].by, counter)
        if (who === undefined) continue
        const { isWithin, left, resetS } = counter.take(limit, who, amount)
        said += `${said === '' ? '' : ', '}"${name}";r=${left};t=${resetS}`
        if (!isWithin) refusal = new Problem('rate-limited', { retryAfterS: resetS })
      }
      if (said !== '') reply.header('ratelimit-policy', limitPolicy).header('ratelimit', said)
      if (refusal !== undefined) throw refusal
      return said
    }

    const note = (request: FastifyRequest, counts: LimitRow['counts'], amount: number) => {
      let isWithin = true
      for (const name of request.routeOptions.config.limits ?? []) {
        const limit = here[name]
        const who = whoOf(request, LIMITS[name].by, counter)
        if (limit === undefined || who === undefined || LIMITS[name].counts !== counts) continue
        isWithin = counter.note(limit, who, amount) && isWithin
      }
      return isWithin
    }

    app.addHook('onRequest', async (request, reply) => {
      const said = take(request, reply, 'requests', 1, '')
      request.consumeQuota = (spentOn, amount) => {
        request.hasCounted = true
        if (amount > 0) take(request, spentOn, 'queries', amount, said)
      }
      request.chargeQuota = (amount) => note(request, 'queries', amount)
      request.hashingFor = (answer) => ({
        ...senderOf(request, counter),
        waitsForCost: (request.routeOptions.config.limits ?? []).some((name) => LIMITS[name].counts === 'videos'),
        charge: (units) => void take(request, answer, 'pictures', units, said),
        chargeVideo: (units, least) =>
          void take(request, answer, 'videos', least, take(request, answer, 'pictures', units, said)),
        settleVideo: (units) => void note(request, 'videos', units),
      })
    })
  },
  { name: 'limits', fastify: '5.x', dependencies: ['authentication'] },
)

/** A limit on queries holds only if the handler counts them. An answer of one that forgot would be an unlimited search. */
const withholdUncounted: onSendHookHandler = (request, { statusCode }, _payload, done) => {
  if (request.hasCounted || statusCode >= FIRST_REFUSAL) done()
  else done(new Error(`${request.routeOptions.url} answered queries without counting them`))
}

const FIRST_REFUSAL = 400

/** Counts an unknown key or token. @throws {Problem} rate-limited */
export function noteFailure(counter: LimitCounter, { 'auth-failures': limit }: LimitsHere, address: string): void {
  if (limit === undefined) return
  const { isWithin, resetS } = counter.take(limit, counter.nameOfAddress(address), 1)
  if (!isWithin) throw new Problem('rate-limited', { retryAfterS: resetS })
}

/** An organisation shares one part of the workers among all its keys, and an address among all its cases. */
function senderOf({ caller, ownCase, ip }: FastifyRequest, counter: LimitCounter): PictureSender {
  if (caller !== null && caller !== undefined) return { group: `org:${caller.orgId}`, member: caller.keyId }
  return { group: `address:${counter.nameOfAddress(ip)}`, member: ownCase?.caseId ?? '' }
}

function whoOf(request: FastifyRequest, by: LimitRow['by'], counter: LimitCounter): string | undefined {
  switch (by) {
    case 'address':
      return counter.nameOfAddress(request.ip)
    case 'key':
      return request.caller?.keyId
    case 'org':
      return request.caller?.orgId
    case 'case':
      return request.ownCase?.caseId
  }
}
