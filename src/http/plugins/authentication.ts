// Checks the key or token and the scope before the body is read. The server does not start if a route declares no scope.

import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Caller, RouteScope } from '../../domain/organisations/access.js'
import { Problem, type ProblemCode } from '../../domain/problem.js'
import type { OwnCase } from '../../services/cases/case-access.js'
import type { Cases } from '../../services/cases/cases.js'
import { bearerToken } from '../../services/keys/access.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * A scope of API keys, or: `key` for any valid key; `case` for the token of the case, or the key of the organisation that opened it;
     * `public` for everybody.
     */
    scope?: RouteScope
    /**
     * For clients that cannot send a bearer token. `in-path`: the key may be the path parameter `key` or the password of `Basic`.
     * `in-functions-header`: it may be the header `x-functions-key`.
     */
    keyAlso?: 'in-path' | 'in-functions-header'
    /** With the scope `case` and an organisation's key: what the request does, if its method does not say so. */
    purpose?: 'hand-over'
  }
  interface FastifyRequest {
    caller: Caller | null
    ownCase: OwnCase | null
    authorizedAtMs: number
    /**
     * Checks key or token again, for work that outlasts the first check and then answers or stores more. Skipped if the last check is at
     * most `knownForMs` old. While the check is impossible (store unavailable, index loading), the last result stays valid.
     * @throws {Problem} as the first check does
     */
    reauthorize: (knownForMs?: number) => Promise<void>
  }
}

export interface AuthenticationOptions {
  readonly identify: (key: string, address: string | undefined) => Caller | undefined
  readonly cases: Pick<Cases, 'own' | 'ownByKey'>
  /** Awaited before a key or token is looked up, so that revocations are known. Never rejects. */
  readonly waitUntilFresh?: () => Promise<void> | undefined
  /** Called when a key or token is unknown. @throws {Problem} to replace the refusal */
  readonly onFailure?: (request: FastifyRequest) => void
  /** Monotonic, in milliseconds. */
  readonly now?: () => number
}

export const authentication = fp<AuthenticationOptions>(
  async (
    app,
    { identify, cases, waitUntilFresh = () => undefined, onFailure = () => {}, now = () => performance.now() },
  ) => {
    app.decorateRequest('caller', null)
    app.decorateRequest('ownCase', null)
    app.decorateRequest('authorizedAtMs', 0)
    app.decorateRequest('reauthorize', async function (this: FastifyRequest, knownForMs = 0) {
      if (now() - this.authorizedAtMs < knownForMs) return
      await authorize(this).catch((error: unknown) => {
        if (!(error instanceof Problem && CANNOT_TELL.has(error.code))) throw error
      })
    })

    app.addHook('onRoute', ({ method, url, config }) => {
      if (config?.scope === undefined) throw new Error(`${String(method)} ${url} declares no scope`)
    })
    app.addHook('onRequest', async (request) => {
      const word = waitUntilFresh()
      if (word !== undefined) await word
      try {
        await authorize(request)
      } catch (error) {
        if (error instanceof Problem && OPENS_NOTHING.has(error.code)) onFailure(request)
        throw error
      }
    })

    // A body may take an hour to arrive, so check again. A body that came with its head needs no second check.
    app.addHook('preHandler', (request, _reply, done) => {
      const knownForMs = request.routeOptions.config.scope === 'case' ? TOKEN_KNOWN_FOR_MS : KEY_KNOWN_FOR_MS
      if (now() - request.authorizedAtMs < knownForMs) done()
      else request.reauthorize().then(() => done(), done)
    })

    async function authorize(request: FastifyRequest): Promise<void> {
      const { scope, purpose } = request.routeOptions.config
      if (scope === undefined || scope === 'public') return
      request.authorizedAtMs = now()
      const token = keyBeside(request) ?? bearerToken(request.headers.authorization)
      if (scope === 'case') {
        if (token === undefined) throw new Problem('token-missing')
        // The organisation that opened the case sends its API key instead of the token.
        const caller = identify(token, request.ip)
        const number = caseNumberOf(request.params)
        const may = purpose ?? (request.method === 'GET' ? 'read' : 'act')
        request.ownCase = await (caller === undefined ? cases.own(number, token) : cases.ownByKey(number, caller, may))
        return
      }
      if (token === undefined) throw new Problem('key-missing')
      // `identify` may throw: then the caller of the last check stays.
      request.caller = identify(token, request.ip) ?? null
      if (request.caller === null) throw new Problem('key-invalid')
      if (scope !== 'key' && !request.caller.scopes.has(scope)) throw new Problem('scope-missing', { scope })
    }
  },
  { name: 'authentication', fastify: '5.x' },
)

/** A check of a token takes a round trip to the store, so repeat it only after a slow body. */
const TOKEN_KNOWN_FOR_MS = 500
/** A check of a key takes a hash and a look-up in memory. If the key is revoked within this time after a check, the request is still answered. */
const KEY_KNOWN_FOR_MS = 5
const CANNOT_TELL: ReadonlySet<ProblemCode> = new Set(['store-unavailable', 'index-loading'])
const OPENS_NOTHING: ReadonlySet<ProblemCode> = new Set(['key-missing', 'key-invalid', 'token-missing', 'case-unknown'])

/** @returns the caller of a route with a scope of API keys. @throws {Error} on other routes */
export function callerOf(request: { readonly caller: Caller | null }): Caller {
  if (request.caller === null) throw new Error('this route has no API-key scope')
  return request.caller
}

/** @returns the case of a route with the scope `case`. @throws {Error} on other routes */
export function ownCaseOf(request: { readonly ownCase: OwnCase | null }): OwnCase {
  if (request.ownCase === null) throw new Error('this route has not the scope of a case')
  return request.ownCase
}

/** Password of `Basic` (RFC 7617). The user name is ignored: a key identifies its organisation. */
function basicPassword(authorization: string | undefined): string | undefined {
  const [, credentials] = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization ?? '') ?? []
  if (credentials === undefined) return undefined
  const text = Buffer.from(credentials, 'base64').toString('latin1')
  const password = text.slice(text.indexOf(':') + 1)
  return password === '' ? undefined : password
}

function keyBeside({ routeOptions, params, headers }: FastifyRequest): string | undefined {
  const { keyAlso } = routeOptions.config
  if (keyAlso === 'in-path' && headers.authorization !== undefined && !hasKeyInPath(params))
    return basicPassword(headers.authorization)
  const key =
    keyAlso === 'in-path' && typeof params === 'object' && params !== null && 'key' in params
      ? params.key
      : keyAlso === 'in-functions-header'
        ? headers['x-functions-key']
        : undefined
  return typeof key === 'string' ? key : undefined
}

function hasKeyInPath(params: unknown): boolean {
  return typeof params === 'object' && params !== null && 'key' in params
}

function caseNumberOf(params: unknown): string {
  return typeof params === 'object' && params !== null && 'caseNumber' in params ? String(params.caseNumber) : ''
}
