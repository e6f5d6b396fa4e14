// For operators: API keys, as `tabir keys` manages them.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ORG_KINDS, SCOPES } from '../../domain/organisations/access.js'
import { isPlainLine } from '../../domain/plain-text.js'
import { isNetwork } from '../../net/networks.js'
import type { KeptKey, KeyKeeping } from '../../services/keys/key-administration.js'
import type { Idempotency } from '../../services/load/idempotency.js'
import { LongPage, Next, nextOf } from '../pages.js'
import { callerOf } from '../plugins/authentication.js'
import { may } from '../problems.js'
import { IdempotencyKey, Instant, instant, instantOrNull } from '../schemas.js'
import type { ZodApp } from '../zod-app.js'

const HOUR_MS = 3_600_000

const Scopes = z.array(z.enum(SCOPES)).min(1).max(SCOPES.length)
const Networks = z
  .array(z.string().refine(isNetwork, 'must be an address or a network, such as 192.0.2.0/24'))
  .min(1)
  .max(100)
const KeyView = z
  .object({
    keyId: z.string(),
    org: z.string(),
    kind: z.enum(ORG_KINDS),
    scopes: z.array(z.enum(SCOPES)),
    createdAt: Instant,
    expiresAt: Instant.nullable(),
    suspendedAt: Instant.nullable(),
    networks: z.array(z.string()).nullable().meta({ description: 'Networks from which it may be used; null: any.' }),
    lastUsedOn: z.iso.date().nullable(),
  })
  .meta({ id: 'ApiKey' })
const Shown = z.object({ keyId: z.string(), key: z.string().meta({ description: 'Shown only once.' }) })
const NewKey = z.strictObject({
  org: z
    .string()
    .trim()
    .min(1)
    .max(255)
    .refine(isPlainLine, 'must be one line, without control characters and without any that turn the direction of text')
    .meta({ description: 'Name of the organisation; created if it is new.' }),
  kind: z.enum(ORG_KINDS).meta({ description: 'For a new organisation.' }),
  scopes: Scopes,
  expiresAt: Instant.optional(),
  networks: Networks.optional(),
})
const KeyParam = z.object({ keyId: z.string().max(64) })
const Overlap = z.strictObject({
  overlapHours: z.int().min(0).max(8760).default(168).meta({ description: 'How long the old key stays active.' }),
})

export interface KeyRouteOptions {
  readonly keys: KeyKeeping
  readonly idempotency: Idempotency
}

const config = { scope: 'admin' } as const
const tags = ['keys']
const always = ['key-missing', 'scope-missing', 'store-unavailable'] as const
const repeated = ['idempotency-key-reused', 'idempotency-key-busy'] as const

export const keyRoutes: FastifyPluginAsyncZod<KeyRouteOptions> = async (app, options) => {
  listKeysRoute(app, options)
  getOwnKeyRoute(app, options)
  createKeyRoute(app, options)
  rotateKeyRoute(app, options)
  revokeKeyRoute(app, options)
  restoreKeyRoute(app, options)
}

function listKeysRoute(app: ZodApp, { keys }: KeyRouteOptions): void {
  app.get(
    '/keys',
    {
      config,
      schema: {
        operationId: 'listKeys',
        summary: 'List the API keys',
        description: 'Newest first, without the secrets: only their holders have them.',
        tags,
        querystring: LongPage,
        response: { 200: z.object({ keys: z.array(KeyView), next: Next }), ...may('request-invalid', ...always) },
      },
    },
    async ({ query }) => {
      const page = await keys.list(query.after, query.limit)
      return { keys: page.keys.map(present), next: nextOf(page.next) }
    },
  )
}

function getOwnKeyRoute(app: ZodApp, { keys }: KeyRouteOptions): void {
  app.get(
    '/keys/own',
    {
      config: { scope: 'key' },
      schema: {
        operationId: 'getOwnKey',
        summary: 'Get your own key',
        description: 'The organisation, scopes and expiry of the key that is used. Any key may call this.',
        tags,
        response: { 200: KeyView, ...may('key-missing', 'store-unavailable') },
      },
    },
    async (request) => present(await keys.own(callerOf(request))),
  )
}

function createKeyRoute(app: ZodApp, { keys, idempotency }: KeyRouteOptions): void {
  app.post(
    '/keys',
    {
      config,
      schema: {
        operationId: 'createKey',
        summary: 'Create an API key',
        description:
          'Active within one second. The kind of an existing organisation cannot change. If the answer is lost, repeat the request with the same Idempotency-Key; otherwise an unused key remains, which you can find in the list and revoke.',
        tags,
        headers: IdempotencyKey,
        body: NewKey,
        response: { 201: Shown, ...may('request-invalid', ...repeated, ...always) },
      },
    },
    async (request, reply) => {
      const { org, kind, scopes, expiresAt, networks } = request.body
      const caller = callerOf(request)
      const key = request.headers['idempotency-key']
      const made = await idempotency.once(['create-key', caller.orgId], key, request.body, Shown, () =>
        keys.create(caller, {
          ...{ org, kind, scopes: new Set(scopes), networks },
          expiresAtMs: expiresAt === undefined ? undefined : Date.parse(expiresAt),
        }),
      )
      return reply.code(201).send(made)
    },
  )
}

function rotateKeyRoute(app: ZodApp, { keys, idempotency }: KeyRouteOptions): void {
  app.post(
    '/keys/:keyId/rotation',
    {
      config,
      schema: {
        operationId: 'rotateKey',
        summary: 'Rotate a key',
        description:
          'Creates a key with the same scopes, networks and expiry. Both are active until the overlap ends. If the answer is lost, repeat the request with the same Idempotency-Key; otherwise another key is created, and the unused one can be revoked. To rotate the key that you call with, choose an overlap, or you cannot repeat the request.',
        tags,
        params: KeyParam,
        headers: IdempotencyKey,
        body: Overlap,
        response: { 201: Shown, ...may('request-invalid', 'key-unknown', ...repeated, ...always) },
      },
    },
    async (request, reply) => {
      const overlapMs = request.body.overlapHours * HOUR_MS
      const { keyId } = request.params
      const caller = callerOf(request)
      const key = request.headers['idempotency-key']
      const made = await idempotency.once(['rotate-key', `${caller.orgId} ${keyId}`], key, request.body, Shown, () =>
        keys.rotate(caller, keyId, overlapMs),
      )
      return reply.code(201).send(made)
    },
  )
}

function revokeKeyRoute(app: ZodApp, { keys }: KeyRouteOptions): void {
  app.delete(
    '/keys/:keyId',
    {
      config,
      schema: {
        operationId: 'revokeKey',
        summary: 'Revoke a key',
        description: 'Revoked here before the answer, and on all processes within one second.',
        tags,
        params: KeyParam,
        response: { 204: z.null(), ...may('request-invalid', 'key-unknown', ...always) },
      },
    },
    async (request, reply) => {
      await keys.revoke(callerOf(request), request.params.keyId)
      return reply.code(204).send(null)
    },
  )
}

function restoreKeyRoute(app: ZodApp, { keys }: KeyRouteOptions): void {
  app.delete(
    '/keys/:keyId/suspension',
    {
      config,
      schema: {
        operationId: 'restoreKey',
        summary: 'End the suspension of a key',
        tags,
        params: KeyParam,
        response: { 204: z.null(), ...may('request-invalid', 'key-unknown', ...always) },
      },
    },
    async (request, reply) => {
      await keys.restore(callerOf(request), request.params.keyId)
      return reply.code(204).send(null)
    },
  )
}

function present({ scopes, createdAtMs, expiresAtMs, suspendedAtMs, networks, lastUsedOn, ...rest }: KeptKey) {
  return {
    ...rest,
    scopes: [...scopes],
    createdAt: instant(createdAtMs),
    expiresAt: instantOrNull(expiresAtMs),
    suspendedAt: instantOrNull(suspendedAtMs),
    networks: networks === undefined ? null : [...networks],
    lastUsedOn: lastUsedOn ?? null,
  }
}
