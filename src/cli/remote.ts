// The client of a running api that commands use.

import { readFileSync } from 'node:fs'
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { isServiceAddress, routeAt } from '../../packages/core/src/service-address.js'
import { type Config, readConfig } from '../boot/config.js'
import { jsonOrUndefined } from '../domain/json.js'

export const REMOTE_OPTIONS = { url: { type: 'string' }, 'key-file': { type: 'string' } } as const
export const REMOTE_USAGE = `[--url URL] [--key-file FILE]
    URL: the api; by default TABIR_URL, or the api on this machine. The API key is read from FILE or TABIR_API_KEY.`

export interface Remote {
  readonly url: URL
  readonly key: string
}

/** @returns the api and key, or a message that says what is missing. */
export function createRemote(values: { readonly url?: string; readonly 'key-file'?: string }): Remote | string {
  const config = readConfig(process.env)
  const { apiKey } = config
  const url = values.url ?? apiUrlFrom(config)
  if (!isServiceAddress(url)) return '--url must be the http or https address of an api'
  const key = values['key-file'] === undefined ? apiKey : fileText(values['key-file'])
  if (key === undefined || !/^\S+$/.test(key))
    return 'An API key is required, in TABIR_API_KEY or in a file named by --key-file.'
  return { url: new URL(url), key }
}

/** @returns the URL of TABIR_URL, or of the api on this machine. */
export function apiUrlFrom({ apiUrl, host, port }: Config): string {
  return apiUrl ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** Written to standard error, so that programs can parse standard output. */
export function printApiUrl(url: URL): void {
  process.stderr.write(`Api: ${shownAddress(url)}\n`)
}

/** The address for a message, without a user, password or query. */
export function shownAddress({ origin, pathname }: URL): string {
  return `${origin}${pathname.replace(/\/+$/, '')}`
}

export interface RemoteRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Readable | string
}

/**
 * Sends one request, whose body may take hours. Not `fetch`, which gives up after five minutes without an answer.
 * @throws {Error} if the connection fails or breaks
 */
export function ask({ url, key }: Remote, { method, path, headers, body }: RemoteRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const target = routeAt(url, path)
    const request = (target.protocol === 'https:' ? requestHttps : requestHttp)(target, {
      method,
      headers: { ...headers, authorization: `Bearer ${key}` },
    })
    request.once('response', (response) => {
      response.once('end', () => request.destroy()) // if the answer came before the end of the body, stop sending
      resolve(response)
    })
    request.once('error', reject)
    if (body === undefined || typeof body === 'string') request.end(body)
    else pipeline(body, request).catch(reject) // an answer that came before the error wins
  })
}

const Refusal = z.object({ title: z.string(), detail: z.string().optional(), code: z.string() })

export interface Refused {
  /** `unreadable` if the answer is not problem+json. */
  readonly code: string
  readonly words: string
  readonly retryAfterS: number | undefined
}

export async function refusalOf(response: IncomingMessage): Promise<Refused> {
  const { data } = Refusal.safeParse(jsonOrUndefined(await textOf(response)))
  const retryAfterS = Number(response.headers['retry-after'])
  return {
    code: data?.code ?? 'unreadable',
    words: data === undefined ? `Status ${response.statusCode}.` : [data.title, data.detail].filter(Boolean).join(' '),
    retryAfterS: retryAfterS > 0 ? retryAfterS : undefined,
  }
}

const MAX_ANSWER_BYTES = 16 << 20

export async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) continue
    sizeBytes += chunk.length
    if (sizeBytes > MAX_ANSWER_BYTES) throw new Error('the answer is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function fileText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return undefined
  }
}
