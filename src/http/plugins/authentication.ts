// Who may enter: every route names its scope, or the server does not start.

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
     * A scope of API keys; `key` for the holder of any; `case` for the holder of the case's token, or the organisation that opened it for her; `public` for
     * everybody.
     */
    scope?: RouteScope
    /**
     * For clients that cannot send a bearer: the key may also stand in the address, as the parameter `key`, or be the password of `Basic`; or stand in
     * the header `x-functions-key`.
     */
    keyAlso?: 'in-path' | 'in-functions-header'
    /** Of the scope `case`, for an organisation's key: what it is to do, where that is not told by the method. */
    purpose?: 'hand-over'
  }
  interface FastifyRequest {
    caller: Caller | null
    ownCase: OwnCase | null
    authorizedAtMs: number
    /**
     * For what goes on long after it was let in, and tells or takes more: may the caller still? Not asked where that was known so short a
     * time ago; while that cannot be found out, what was known last holds. @throws {Problem} as at the door
     */
    reauthorize: (knownForMs?: number) => Promise<void>
  }
}

export interface AuthenticationOptions {
  readonly identify: (key: string, address: string | undefined) => Caller | undefined
  readonly cases: Pick<Cases, 'own' | 'ownByKey'>
  /** What is worth waiting for before anybody is looked up, if anything is. Never fails. */
  readonly waitUntilFresh?: () => Promise<void> | undefined
  /** Told of whoever shows what opens nothing. @throws {Problem} in place of that refusal */
  readonly onFailure?: (request: FastifyRequest) => void
  /** In milliseconds, never goes back. */
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

    // A body may take an hour to arrive. One that comes with its head is asked about no second time.
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
        // The organisation that opened a case for somebody shows its key in place of the token.
        const caller = identify(token, request.ip)
        const number = caseNumberOf(request.params)
        const may = purpose ?? (request.method === 'GET' ? 'read' : 'act')
        request.ownCase = await (caller === undefined ? cases.own(number, token) : cases.ownByKey(number, caller, may))
        return
      }
      request.caller = null
      if (token === undefined) throw new Problem('key-missing')
      request.caller = identify(token, request.ip) ?? null
      if (request.caller === null) throw new Problem('key-invalid')
      if (scope !== 'key' && !request.caller.scopes.has(scope)) throw new Problem('scope-missing', { scope })
    }
  },
  { name: 'door', fastify: '5.x' },
)

/** A token is looked up in the store, and that is worth it for a slow body only. */
const TOKEN_KNOWN_FOR_MS = 500
/** A key is known in memory, and has to be hashed. What came so shortly before its end is answered. */
const KEY_KNOWN_FOR_MS = 5
const CANNOT_TELL: ReadonlySet<ProblemCode> = new Set(['store-unavailable', 'index-loading'])
const OPENS_NOTHING: ReadonlySet<ProblemCode> = new Set(['key-missing', 'key-invalid', 'token-missing', 'case-unknown'])

/** The caller of a route whose scope is one of an API key. */
export function callerOf(request: { readonly caller: Caller | null }): Caller {
  if (request.caller === null) throw new Error('this route has no API-key scope')
  return request.caller
}

/** The case of a route whose scope is `case`. */
export function ownCaseOf(request: { readonly ownCase: OwnCase | null }): OwnCase {
  if (request.ownCase === null) throw new Error('this route has not the scope of a case')
  return request.ownCase
}

/** Of `Basic` (RFC 7617). Whatever name stands before it: a key names its organisation itself. */
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
