// Requests that must be refused, for tests of refusals.

import { connect } from 'node:net'
import { Readable } from 'node:stream'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { z } from 'zod'
import { writtenForms } from '../../src/demo/written-forms.js'
import { SCOPES, type Scope } from '../../src/domain/organisations/access.js'
import { MARKER } from './refusal.js'
import { keyFor, randomHashText, startService, type TestService } from './service.js'
import { readAll } from './sockets.js'

export const UNKNOWN_CASE = 'TBR-0000-0000-0000'

export async function prepared(t: Test) {
  const service = await startService(t)
  const ngo = await keyFor(service, 'ngo', ['signals:write'])
  const platform = await keyFor(service, 'platform', ['match'])
  await post(service.app, '/v1/banks', { name: 'mine' }, ngo.headers)
  return { service, ngo, platform }
}

export function post(
  app: FastifyInstance,
  url: string,
  payload: InjectOptions['payload'],
  headers: Record<string, string> = {},
) {
  const isText = typeof payload === 'string'
  return app.inject({
    method: 'POST',
    url,
    ...(payload !== undefined && { payload }),
    headers: { ...headers, ...(isText && { 'content-type': 'application/json' }) },
  })
}

export function del(app: FastifyInstance, url: string, headers: Record<string, string>) {
  return app.inject({ method: 'DELETE', url, headers })
}

/** In pieces that split lines and characters anywhere. */
export function ndjson(app: FastifyInstance, bank: string, text: string, headers: Record<string, string>) {
  const bytes = Buffer.from(text)
  const pieceBytes = Math.max(7, Math.ceil(bytes.length / 1000))
  const pieces = Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, i) =>
    bytes.subarray(i * pieceBytes, (i + 1) * pieceBytes),
  )
  return app.inject({
    method: 'POST',
    url: `/v1/banks/${bank}/signals`,
    payload: Readable.from(pieces),
    headers: { ...headers, 'content-type': 'application/x-ndjson' },
  })
}

export function tryPin(app: FastifyInstance, caseNumber: string, pin: string) {
  return post(app, `/v1/cases/${caseNumber}/tokens`, { pin })
}

export function otherPin(pin: string): string {
  return String((Number(pin) + 1) % 1_000_000).padStart(6, '0')
}

export function signals(count: number) {
  return { signals: Array.from({ length: count }, () => ({ type: 'pdq', hash: randomHashText() })) }
}

export const Description = z.object({
  paths: z.record(
    z.string(),
    z.record(z.string(), z.object({ security: z.array(z.record(z.string(), z.array(z.string()))).optional() })),
  ),
})

/** Every route that is not public, from the routes' own description, with a path to request. */
export function guardedRoutes(app: FastifyInstance) {
  const methods = { get: 'GET', post: 'POST', delete: 'DELETE', put: 'PUT', patch: 'PATCH' } as const
  const { paths } = Description.parse(app.swagger())
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(methods).flatMap(([method, verb]) => {
      const security = operations[method]?.security?.[0]
      if (security === undefined) return []
      const scope = 'caseToken' in security ? 'case' : (security['organisationKey']?.[0] ?? 'key')
      const url = path.replaceAll(/\{\w+\}/g, MARKER)
      return [{ method: verb, url, scope, name: `${verb} ${path}` }]
    }),
  )
}

export function otherScopes(scope: string): Scope[] {
  return SCOPES.filter((other) => other !== scope)
}

export function withTypo(key: string): string {
  return key.slice(0, 20) + (key[20] === 'a' ? 'b' : 'a') + key.slice(21)
}

/** The same id and another secret, without the checksum that belongs to it. */
export function forged(key: string): string {
  const secretAt = key.lastIndexOf('_') + 1
  return key.slice(0, secretAt) + '0'.repeat(key.length - secretAt)
}

export function silent(t: Test, { log }: TestService): void {
  t.ok(log.length > 0, 'there is a log')
  const text = log.join('')
  const written = [MARKER, ...writtenForms(Buffer.from(MARKER)).map((form) => form.text)]
  t.same(
    written.filter((form) => text.includes(form)),
    [],
    'the log repeats nothing, in whatever form',
  )
}

export async function redisOf(t: Test, { redis: { socket } }: TestService): Promise<Redis> {
  const redis = new Redis(socket)
  t.teardown(() => redis.disconnect())
  return redis
}

export function head(path: string, key: string, contentType: string, sizeBytes: number): string {
  return `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: ${contentType}\r\nContent-Length: ${sizeBytes}\r\n\r\n`
}

/** Sends bytes and reads whatever comes back until the server hangs up. */
export async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(Buffer.from(bytes, 'latin1'))
  return await readAll(socket)
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

export function fastest(work: () => unknown): number {
  return Math.min(
    ...Array.from({ length: 3 }, () => {
      const startedAt = performance.now()
      work()
      return performance.now() - startedAt
    }),
  )
}
