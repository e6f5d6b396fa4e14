// Sending uploads of every kind to the two routes that take pictures.

import type { FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { z } from 'zod'
import type { Multipart, streamed } from './multipart.js'
import { keyFor, openCase, startService, type TestService, type TestServiceOptions } from './service.js'

export interface Route {
  readonly url: string
  readonly headers: Record<string, string>
}

export async function startUploads(t: Test, options: TestServiceOptions = {}) {
  const service = await startService(t, options)
  const her = await openCase(service.app)
  const platform = { url: '/v1/match/images', headers: (await keyFor(service, 'platform', ['match'])).headers }
  const routes: Route[] = [{ url: `${her.url}/images`, headers: her.headers }, platform]
  return { service, her, platform, routes }
}

export function send(app: FastifyInstance, { url, headers }: Route, body: Partial<Multipart> | ReturnType<typeof streamed>) {
  const { payload, headers: more } = body
  const own = Buffer.isBuffer(payload) ? Buffer.from(payload) : payload // the service overwrites the bytes that it gets
  return app.inject({ method: 'POST', url, ...(own !== undefined && { payload: own }), headers: { ...headers, ...more } })
}

/** The number of pictures that wait for a worker. */
export async function waitingJobs({ redis: { socket } }: TestService): Promise<number> {
  const redis = new Redis(socket)
  try {
    return await redis.zcard('{tabir}:hash-image:prioritized')
  } finally {
    redis.disconnect()
  }
}

export function json(value: unknown): Multipart {
  return { payload: Buffer.from(JSON.stringify(value)), headers: { 'content-type': 'application/json' } }
}

export async function imagesOf(app: FastifyInstance, her: Awaited<ReturnType<typeof openCase>>): Promise<number> {
  const answer = await app.inject({ url: her.url, headers: her.headers })
  return z.object({ images: z.int() }).parse(answer.json()).images
}
