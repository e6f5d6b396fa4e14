// Requests that no client would send, to every route of ours and of other tools: each must be answered in time, and without
// an error of ours.

import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { z } from 'zod'
import { type Chance, hashText, mutatedBytes, mutatedJson, oddText, tokenText } from './chance.js'
import { FOREIGN_BODIES, FOREIGN_ROUTES } from './foreign.js'
import { askedPatiently } from './patient.js'

export interface FuzzOptions {
  readonly app: FastifyInstance
  /** Headers of a key with every scope, and of a case; tokens are made from their secrets. */
  readonly tokens: readonly string[]
  /** Values for the parameters in paths, by name. */
  readonly ids: Readonly<Record<string, string>>
  /** Bodies of pictures. */
  readonly multipart: readonly { readonly payload: Buffer; readonly headers: Readonly<Record<string, string>> }[]
  readonly chance: Chance
  readonly untilMs: number
}

/** What is wrong with an answer, and the request that led to it. */
export interface Find {
  readonly what: string
  readonly method: string
  readonly url: string
  readonly body: string
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  /** The content types that it reads, by its own statement. */
  readonly reads: readonly string[]
}

/** A longer request is a hang. */
const ANSWER_TIMEOUT_MS = 10_000
const MAX_FINDS = 5
/** Asked even if the time was spent on waiting. */
const MIN_ASKED = 30

/** @returns how many requests were answered, and the first findings. */
export async function fuzzHttp(options: FuzzOptions): Promise<{ readonly asked: number; readonly finds: readonly Find[] }> {
  const { app, chance, untilMs } = options
  const routes = [...routesOf(app), ...FOREIGN_ROUTES]
  const finds: Find[] = []
  let asked = 0
  while ((performance.now() < untilMs || asked < MIN_ASKED) && finds.length < MAX_FINDS) {
    const route = chance.oneOf(routes)
    const { method } = route
    const url = addressFor(options, route.path)
    const { payload, headers } = bodyFor(options, route)
    const find = (what: string) => finds.push({ what, method, url, body: String(payload).slice(0, 500) })
    const token = chance.happens(0.7) ? chance.oneOf(options.tokens) : tokenText(chance, options.tokens)
    const request: InjectOptions = {
      method,
      url,
      headers: { ...headers, authorization: `Bearer ${token}` },
      ...(payload !== undefined && { payload }),
    }
    try {
      const answer = await askedPatiently(() => answerInTime(app, request))
      asked++
      if (answer === undefined) find('no answer')
      else if (answer.statusCode >= 500) find(`${answer.statusCode} ${answer.body.slice(0, 200)}`)
    } catch (error) {
      // light-my-request refuses what no client can write; errors of the server are another matter.
      if (!(error instanceof Error) || !/^(Invalid|The "|Parse|ERR_)/.test(error.message)) find(String(error))
    }
  }
  return { asked, finds }
}

/** @returns `undefined` when it takes too long. */
async function answerInTime(app: FastifyInstance, request: InjectOptions) {
  const impatience = new AbortController()
  try {
    const late = sleep(ANSWER_TIMEOUT_MS, undefined, { signal: impatience.signal, ref: false })
    return await Promise.race([app.inject(request), late])
  } finally {
    impatience.abort()
  }
}

/** The same as bytes on a socket, broken in ways that no HTTP library would write. @returns the number of attempts. */
export async function fuzzSocket(
  { chance, tokens, untilMs }: Pick<FuzzOptions, 'chance' | 'tokens' | 'untilMs'>,
  port: number,
): Promise<number> {
  let tried = 0
  while (performance.now() < untilMs) {
    const body = JSON.stringify({ queries: [{ signals: [{ type: 'pdq', hash: hashText(chance) }] }] })
    const lines = [
      'POST /v1/match HTTP/1.1',
      'Host: x',
      'Connection: close',
      `Authorization: Bearer ${tokenText(chance, tokens)}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
    ]
    const bytes = mutatedBytes(chance, Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1'))
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.end(bytes))
      socket.on('error', () => {}).on('close', () => resolve())
      socket.setTimeout(2000, () => socket.destroy()).resume()
    })
    tried++
  }
  return tried
}

const Operation = z.object({ requestBody: z.object({ content: z.record(z.string(), z.unknown()) }).optional() })

function routesOf(app: FastifyInstance): Route[] {
  const methods = { get: 'GET', post: 'POST', put: 'PUT', patch: 'PATCH', delete: 'DELETE' } as const
  const { paths = {} } = app.swagger()
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(methods).flatMap(([name, method]) => {
      const operation = Operation.safeParse(Reflect.get(operations ?? {}, name)).data
      return operation === undefined ? [] : [{ method, path, reads: Object.keys(operation.requestBody?.content ?? {}) }]
    }),
  )
}

function addressFor({ chance, ids }: FuzzOptions, path: string): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) =>
    chance.happens(0.6) ? (ids[name] ?? 'x') : encodeURIComponent(wellFormed(oddText(chance))).slice(0, 600),
  )
  const spoiled = chance.happens(0.1) ? mutatedBytes(chance, Buffer.from(filled)).toString('latin1') : filled
  const query = chance.happens(0.3)
    ? `${path.includes('?') ? '&' : '?'}${chance.oneOf(PARAMETERS)}=${encodeURIComponent(wellFormed(oddText(chance))).slice(0, 600)}`
    : ''
  return `/${(spoiled + query).replace(/^\/+/, '').replaceAll(/[^\x21-\x7e]/g, '%20')}`
}

function bodyFor(options: FuzzOptions, { method, reads }: Route) {
  const { chance, multipart } = options
  if (method === 'GET' && chance.happens(0.9)) return { payload: undefined, headers: {} }
  const good = chance.oneOf(SEEDS)
  const json = { 'content-type': 'application/json' }
  // Mostly what the route reads: another content type is refused early.
  const kind = chance.happens(0.7) ? KINDS[chance.oneOf([...reads, 'application/json'])] : undefined
  switch (kind ?? chance.below(7)) {
    case 0:
      return { payload: mutatedBytes(chance, Buffer.from(JSON.stringify(good))), headers: json }
    case 1: {
      const lines = Array.from({ length: 1 + chance.below(20) }, () =>
        JSON.stringify(mutatedJson(chance, { type: 'pdq', hash: hashText(chance), quality: 90 })),
      )
      return {
        payload: mutatedBytes(chance, Buffer.from(lines.join('\n'))),
        headers: { 'content-type': 'application/x-ndjson' },
      }
    }
    case 2: {
      const { payload, headers } = chance.oneOf(multipart)
      return { payload: mutatedBytes(chance, payload), headers }
    }
    case 3:
      return {
        payload: chance.bytes(chance.below(200)),
        headers: { 'content-type': wellFormed(oddText(chance)).slice(0, 60) },
      }
    default:
      return { payload: JSON.stringify(mutatedJson(chance, good)), headers: json }
  }
}

const PARAMETERS = [
  'limit',
  'after',
  'thresholdBits',
  'banks',
  'transforms',
  'language',
  'signal',
  'threshold',
  'pageSize',
  'x',
]

const KINDS: Readonly<Record<string, number>> = { 'application/x-ndjson': 1, 'multipart/form-data': 2 }

/** Bodies that some route accepts; every route gets those of the others too. */
const HASH = '93850b707585e404e4951a3ddc1f05a34b3d4f5fc081d616f46d8a2e8f1c8e68'
const SEEDS: readonly unknown[] = [
  {
    queries: [{ id: 'a', context: 'b'.repeat(22), signals: [{ type: 'pdq', hash: HASH, quality: 90, view: 'whole' }] }],
    thresholdBits: 31,
  },
  { adult: true, category: 'nude' },
  { pin: '123456' },
  { images: [{ signals: [{ type: 'pdq', hash: HASH, quality: 90 }], category: 'nude' }] },
  { name: 'a-bank', purpose: 'match', thresholdBits: { pdq: 31 }, readers: [] },
  { readers: null },
  { signals: [{ type: 'pdq', hash: HASH, quality: 90, ref: 'r', category: 'nude' }] },
  { verdict: 'disputed', reason: 'harmless-content' },
  { reference: 'police 7' },
  { law: 'x', statements: [] },
  { url: 'https://example.com/hook', events: ['match.found'] },
  ...FOREIGN_BODIES,
  [],
]

function wellFormed(text: string): string {
  return text.replaceAll(/\p{Surrogate}/gu, '')
}
