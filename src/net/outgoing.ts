// Sends all outgoing requests, with limits on time, size and destination.

import { Resolver } from 'node:dns/promises'
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, connect as netConnect, type Socket } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import { isPublicAddress } from './address.js'
import { hostOf, isTrusted, outgoingUrl, type TrustedOrigins } from './outgoing-url.js'

/** Messages for failed requests. They must not say more: strangers could learn which hosts exist in our network. */
export const OUTGOING_FAILURES = {
  'url-refused': 'It is not an https address on the public internet.',
  'no-public-address': 'Its name leads to no address on the public internet.',
  'certificate-refused': 'Its certificate is not valid for its name.',
  unreachable: 'It could not be reached, or closed the connection.',
  'timed-out': 'It did not answer in time.',
  'answer-too-large': 'Its answer was longer than allowed.',
  'too-many-redirects': 'It redirects too often.',
} as const
export type OutgoingFailure = keyof typeof OUTGOING_FAILURES

/** Contains no URL, address or answer, because these are often secret. */
export class OutgoingError extends Error {
  readonly failure: OutgoingFailure
  constructor(failure: OutgoingFailure) {
    super(failure)
    this.name = 'OutgoingError'
    this.failure = failure
  }
}

export interface OutgoingRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  /** With lowercase names. Not sent to other origins after a redirect. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Limit for the whole request: name look-up, connection, answer and redirects. */
  readonly timeoutMs: number
  /** Limit on the body of the answer. When left out, the body is not read, and the connection is closed after the headers. */
  readonly maxAnswerBytes?: number
  /**
   * Instead of `maxAnswerBytes`: called with the stream of the body if the status is 2xx. Its errors end the request, and reach the caller as an
   * `OutgoingError` only: keep the reason yourself if you need it.
   */
  readonly read?: (answer: Pick<OutgoingAnswer, 'status' | 'headers'>, body: AsyncIterable<unknown>) => Promise<void>
  /** For GET only: how many redirects to follow, each checked like the first URL. When left out, a redirect is the answer. */
  readonly maxRedirects?: number
  readonly signal?: AbortSignal
}

export interface OutgoingAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Empty without `maxAnswerBytes`. */
  readonly body: Buffer
}

/** Sends a request. @throws {OutgoingError} when there is no answer within the limits. */
export type Outgoing = (request: OutgoingRequest) => Promise<OutgoingAnswer>

export interface OutgoingOptions {
  readonly trusted: TrustedOrigins
  /** `trusted` allows only trusted origins, also after redirects. `public`, the default, allows the public internet as well. */
  readonly reach?: 'public' | 'trusted'
  /** Returns all addresses of a name. By default it asks name servers, because this machine's hosts file may contain private names. */
  readonly resolve?: (name: string) => Promise<readonly string[]>
  /** Opens a connection to one of the target's addresses. For trusted origins no addresses are given: use the system's look-up. */
  readonly dial?: (target: DialTarget) => Socket
  /** CA certificates in PEM to trust instead of Node's own. */
  readonly ca?: string
}

export interface DialTarget {
  readonly host: string
  readonly port: number
  readonly isTls: boolean
  readonly addresses: readonly string[] | undefined
}

/**
 * Creates the function that sends all outgoing requests.
 *
 * Against DNS rebinding, a name is resolved once, and the connection goes to the addresses that were checked. Addresses that are not public are
 * dropped; if none is left, nothing is sent. Redirects are followed only with `maxRedirects`, and their targets are checked in the same way.
 *
 * Connections are not reused: requests are rare, and a closed connection cannot leak into another request.
 */
export function createOutgoing(options: OutgoingOptions): Outgoing {
  const { trusted, reach = 'public', resolve = askNameServers(), dial, ca } = options
  const connect = dial ?? ((target: DialTarget) => openSocket(target, ca))
  return async (request) => {
    const timeout = AbortSignal.timeout(request.timeoutMs)
    const signal = request.signal === undefined ? timeout : AbortSignal.any([timeout, request.signal])
    const explain = (error: unknown) => {
      if (error instanceof OutgoingError) return error
      return new OutgoingError(timeout.aborted ? 'timed-out' : failureIn(error))
    }
    let next = { ...request, signal }
    let currentlyTrusted = trusted
    for (let redirects = 0; ; redirects++) {
      const url = outgoingUrl(next.url, currentlyTrusted)
      if (url === undefined || (reach === 'trusted' && !isTrusted(url, currentlyTrusted)))
        throw new OutgoingError('url-refused')
      const answer = await addressesOf(url, currentlyTrusted)
        .then((addresses) => send(url, addresses, next))
        .catch((error: unknown) => Promise.reject(explain(error)))
      const target = request.method === 'GET' && request.maxRedirects !== undefined ? redirectIn(answer, url) : undefined
      if (target === undefined) return answer
      if (redirects >= (request.maxRedirects ?? 0)) throw new OutgoingError('too-many-redirects')
      const { headers, ...bare } = next
      const stays = target.origin === url.origin
      if (!stays) currentlyTrusted = NO_ORIGINS // a redirect must not lead to a trusted origin, from any other one
      next = { ...bare, url: target.href, ...(stays && headers !== undefined && { headers }) }
    }
    async function addressesOf(url: URL, trustedNow: TrustedOrigins): Promise<readonly string[] | undefined> {
      const host = hostOf(url)
      if (isTrusted(url, trustedNow)) return undefined
      const addresses = isIP(host) === 0 ? await beforeEnd(resolve(host.replace(/\.$/, '')), signal) : [host]
      const publicAddresses = addresses.filter(isPublicAddress)
      if (publicAddresses.length === 0) throw new OutgoingError('no-public-address')
      return publicAddresses
    }
    function send(url: URL, addresses: readonly string[] | undefined, asked: OutgoingRequest & { signal: AbortSignal }) {
      const isTls = url.protocol === 'https:'
      const port = Number(url.port === '' ? (isTls ? 443 : 80) : url.port)
      return exchange(url, asked, () => connect({ host: hostOf(url), port, isTls, addresses }))
    }
  }
}

const NO_ORIGINS: TrustedOrigins = new Set()

function exchange(url: URL, asked: OutgoingRequest & { readonly signal: AbortSignal }, dial: () => Socket) {
  const { method, headers, body, signal } = asked
  const options: RequestOptions = {
    method,
    headers: {
      'user-agent': 'Tabir',
      'accept-encoding': 'identity', // a small compressed answer could become a large one
      connection: 'close',
      ...headers,
      ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
    },
    signal,
    defaultPort: url.protocol === 'https:' ? 443 : 80, // without an agent, Node does not know it
    createConnection: dial,
  }
  return new Promise<OutgoingAnswer>((resolve, reject) => {
    const outgoing = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options, (incoming) => {
      readAnswer(incoming, asked).then(resolve, reject)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

async function readAnswer(
  incoming: IncomingMessage,
  { maxAnswerBytes: maxBytes, read }: Pick<OutgoingRequest, 'maxAnswerBytes' | 'read'>,
): Promise<OutgoingAnswer> {
  const { statusCode: status = 0, headers } = incoming
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  incoming.on('error', () => {}) // after closing it on purpose; errors while reading are thrown by the loop below
  if (read !== undefined) {
    if (status >= 200 && status < 300) await read({ status, headers }, incoming).finally(() => incoming.destroy())
  } else if (maxBytes !== undefined) {
    for await (const chunk of incoming) {
      sizeBytes += chunk.length
      if (sizeBytes > maxBytes) throw new OutgoingError('answer-too-large')
      chunks.push(chunk)
    }
  }
  incoming.destroy()
  return { status, headers, body: Buffer.concat(chunks) }
}

function redirectIn({ status, headers }: OutgoingAnswer, from: URL): URL | undefined {
  const to = headers['location']
  if (![301, 302, 303, 307, 308].includes(status) || typeof to !== 'string' || !URL.canParse(to, from.href)) return undefined
  return new URL(to, from.href)
}

/** Opens a connection to the first address that answers. Without `addresses`, the system resolves the host. */
export function openSocket({ host, port, isTls, addresses }: DialTarget, ca?: string): Socket {
  const to = { host, port, ...(addresses !== undefined && { lookup: pinnedTo(addresses) }) }
  if (!isTls) return netConnect(to)
  return tlsConnect({ ...to, servername: isIP(host) === 0 ? host : '', ALPNProtocols: ['http/1.1'], ...(ca && { ca }) })
}

/** A `lookup` for sockets that always returns the checked addresses. Node does not call it when the host is an address. */
function pinnedTo(addresses: readonly string[]) {
  const all = addresses.map((address) => ({ address, family: isIP(address) }))
  return (
    _name: string,
    { all: wantsAll }: { readonly all?: boolean | undefined },
    answer: (error: null, found: string | { address: string; family: number }[], family?: number) => void,
  ) => {
    if (wantsAll) answer(null, all)
    else answer(null, all[0]?.address ?? '', all[0]?.family)
  }
}

const NAME_SERVER_TIMEOUT_MS = 3000

/** Asks name servers directly. The system's look-up would block one of four threads for as long as a hostile name server likes. */
function askNameServers(): (name: string) => Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: NAME_SERVER_TIMEOUT_MS, tries: 2 })
  return async (name) => {
    const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
    return found.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  }
}

function beforeEnd<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

function failureIn(error: unknown): OutgoingFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /CERT|SIGNATURE|^ERR_TLS/.test(code) ? 'certificate-refused' : 'unreachable'
}
