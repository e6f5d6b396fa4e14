// Every request that Tabir sends to the outside: to where it says and nowhere else, within limits of time and size.

import { Resolver } from 'node:dns/promises'
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, connect as netConnect, type Socket } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import { isPublicAddress } from './address.js'
import { hostOf, isTrusted, outgoingUrl, type TrustedOrigins } from './outgoing-url.js'

/** What to say about a request that got no usable answer. Never more: whether a host of ours exists is not a stranger's to know. */
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

/** No URL, no address, no answer: what was asked for is often a secret. */
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
  /** Lowercase names. They go to the first origin alone, not to where it redirects. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** For all of it: name, connection, answer, redirects. */
  readonly timeoutMs: number
  /** Longest answer in bytes, as sent. Left out: the body is not read, and the connection closed after the status. */
  readonly maxAnswerBytes?: number
  /**
   * In place of `maxAnswerBytes`: takes the body of an answer in the two hundreds, as it comes. What it throws ends the request; whoever wants to
   * know why notes it there.
   */
  readonly read?: (answer: Pick<OutgoingAnswer, 'status' | 'headers'>, body: AsyncIterable<unknown>) => Promise<void>
  /** For GET only: how many redirects to follow, each checked like the first URL. None unless given: a redirect is an answer then. */
  readonly maxRedirects?: number
  readonly signal?: AbortSignal
}

export interface OutgoingAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Empty when it was not asked for. */
  readonly body: Buffer
}

/** @throws {OutgoingError} whenever there is no answer within the limits. */
export type Outgoing = (request: OutgoingRequest) => Promise<OutgoingAnswer>

export interface OutgoingOptions {
  readonly trusted: TrustedOrigins
  /** `trusted`: to these origins and nowhere else, whatever leads there. The public internet as well when left out. */
  readonly reach?: 'public' | 'trusted'
  /** All addresses of a name, from its servers: what stands in this machine's own hosts file is not the internet. */
  readonly resolve?: (name: string) => Promise<readonly string[]>
  /** Opens a connection to one of the addresses of a target; for a URL of a trusted origin there are none given. */
  readonly dial?: (target: DialTarget) => Socket
  /** Certificates to believe besides the system's, in PEM. */
  readonly ca?: string
}

export interface DialTarget {
  readonly host: string
  readonly port: number
  readonly isTls: boolean
  readonly addresses: readonly string[] | undefined
}

/**
 * Makes the only function that may call the outside.
 *
 * A name is resolved once, and the connection goes to the very addresses that were checked: a name server that answers otherwise
 * a second time is not asked (DNS rebinding). Addresses that are not public are left out; when none is left, nothing is sent.
 * A redirect is followed only when asked for, and its target is checked like the first one.
 *
 * Connections are not kept: a request to a partner is rare, and what is closed cannot be used for another.
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
    let believed = trusted
    for (let redirects = 0; ; redirects++) {
      const url = outgoingUrl(next.url, believed)
      if (url === undefined || (reach === 'trusted' && !isTrusted(url, believed))) throw new OutgoingError('url-refused')
      const answer = await addressesOf(url, believed)
        .then((addresses) => send(url, addresses, next))
        .catch((error: unknown) => Promise.reject(explain(error)))
      const target = request.method === 'GET' && request.maxRedirects !== undefined ? redirectIn(answer, url) : undefined
      if (target === undefined) return answer
      if (redirects >= (request.maxRedirects ?? 0)) throw new OutgoingError('too-many-redirects')
      const { headers, ...bare } = next
      const stays = target.origin === url.origin
      if (!stays) believed = NOBODY // the operator vouches for an origin, not for whoever sends us there
      next = { ...bare, url: target.href, ...(stays && headers !== undefined && { headers }) }
    }
    async function addressesOf(url: URL, believed: TrustedOrigins): Promise<readonly string[] | undefined> {
      const host = hostOf(url)
      if (isTrusted(url, believed)) return undefined
      const all = isIP(host) === 0 ? await beforeEnd(resolve(host.replace(/\.$/, '')), signal) : [host]
      const outside = all.filter(isPublicAddress)
      if (outside.length === 0) throw new OutgoingError('no-public-address')
      return outside
    }
    function send(url: URL, addresses: readonly string[] | undefined, asked: OutgoingRequest & { signal: AbortSignal }) {
      const isTls = url.protocol === 'https:'
      const port = Number(url.port === '' ? (isTls ? 443 : 80) : url.port)
      return exchange(url, asked, () => connect({ host: hostOf(url), port, isTls, addresses }))
    }
  }
}

const NOBODY: TrustedOrigins = new Set()

function exchange(url: URL, asked: OutgoingRequest & { readonly signal: AbortSignal }, dial: () => Socket) {
  const { method, headers, body, signal } = asked
  const options: RequestOptions = {
    method,
    headers: {
      'user-agent': 'Tabir',
      'accept-encoding': 'identity', // or a small answer could unfold into a large one
      connection: 'close',
      ...headers,
      ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
    },
    signal,
    defaultPort: url.protocol === 'https:' ? 443 : 80, // without an agent Node would not know
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
  incoming.on('error', () => {}) // of a connection that is closed on purpose; while it is read, the loop below throws it
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

/** Opens a connection to the first of the addresses that answers; to where the system says, when there are none. */
export function openSocket({ host, port, isTls, addresses }: DialTarget, ca?: string): Socket {
  const to = { host, port, ...(addresses !== undefined && { lookup: pinnedTo(addresses) }) }
  if (!isTls) return netConnect(to)
  return tlsConnect({ ...to, servername: isIP(host) === 0 ? host : '', ALPNProtocols: ['http/1.1'], ...(ca && { ca }) })
}

/** In place of a look-up by name: gives what was checked, whatever is asked. An address instead of a name never comes here. */
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

/** Not the system's look-up: that one blocks a thread of four, for as long as a stranger's name server likes. */
function askNameServers(): (name: string) => Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: NAME_SERVER_TIMEOUT_MS, tries: 2 })
  return async (name) => {
    const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
    return found.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  }
}

function beforeEnd<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const give = () => reject(signal.reason)
    if (signal.aborted) give()
    signal.addEventListener('abort', give, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', give))
  })
}

function failureIn(error: unknown): OutgoingFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /CERT|SIGNATURE|^ERR_TLS/.test(code) ? 'certificate-refused' : 'unreachable'
}
