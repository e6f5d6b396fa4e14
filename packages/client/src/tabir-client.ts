// The entry point of @tabir/client: a typed client for the whole API, in Node and in browsers. It batches, retries and hashes pictures.

import { detailsOf, type GivenSignal, hashImage, type Pixels } from '@tabir/hash'
import { isServiceAddress, routeAt } from '../../core/src/service-address.js'
import { linesOf } from './hash-lines.js'
import { OPERATIONS, type Operations, type Schemas } from './operations.generated.js'

export type OperationId = keyof Operations
export type Args<Op extends OperationId> = Operations[Op]['args']
export type GivenArgs<Op extends OperationId> = object extends Args<Op> ? [args?: Args<Op>] : [args: Args<Op>]
/** What an operation returns: the parsed body; the `Response` itself for a file; `undefined` if the body is empty. */
export type Answer<Op extends OperationId> = Operations[Op]['answer']
export type { GivenSignal, Pixels, Schemas }

export interface ClientOptions {
  /** Address of the service: `https://tabir.example`, or `https://ngo.example/tabir` below a path. */
  readonly url: string
  /** An API key or the token of a case. Public operations need none. */
  readonly key?: string
  /** Maximum number of attempts, 0.1 to 60 s apart, for a request that is safe to repeat. 5 by default. */
  readonly maxTries?: number
  /** For each attempt, but not for streamed uploads. 60,000 by default; 1,500,000 for video files, which may take the server 20 minutes. */
  readonly timeoutMs?: number
  /** Replaces the platform's own `fetch`. */
  readonly fetch?: typeof fetch
  /** Waits between attempts. Replaces `setTimeout`, in tests for example. */
  readonly wait?: (ms: number) => Promise<unknown>
}

export type MatchQuery = Args<'match'>['body']['queries'][number]
export type MatchResult = Answer<'match'>['results'][number]
export type MatchOptions = Omit<Args<'match'>['body'], 'queries'>
export type NewSignal = NonNullable<Args<'addSignals'>['body']['signals']>[number]
export type AddedSignal = Answer<'addSignals'>['signals'][number]

export interface TabirClient {
  /**
   * Calls any operation of the API by its id in openapi.yaml.
   * @throws {TabirProblem} when the server refuses, and no retry helps. And what `fetch` throws, when the last attempt got no answer.
   */
  call<Op extends OperationId>(operation: Op, ...args: GivenArgs<Op>): Promise<Answer<Op>>
  /** Sends any number of queries in batches within the API's limits. @returns one result for each query, in the same order. @throws as `call`. */
  match(queries: readonly MatchQuery[], options?: MatchOptions): Promise<MatchResult[]>
  /**
   * Hashes a picture locally and queries with its hashes. The picture itself is not sent. Cost: that of `hashImage`, and of `detailsOf` with details.
   * @param pixels as `hashImage` of `@tabir/hash` takes them; with `withDetails`, as its `detailsOf` does.
   * @param options.withDetails also sends the picture's details, up to 250 kB. They reveal more of the picture than hashes do. Services without
   *   extended protection refuse them.
   */
  matchPixels(
    pixels: Pixels,
    options?: MatchOptions & { readonly withDetails?: boolean; readonly aspect?: number },
  ): Promise<MatchResult>
  /**
   * Sends any number of signals in batches of at most 1,000. Repeating the call changes nothing.
   * @returns one result for each signal, in the same order; the server's refusal of a signal is a result, too.
   * @throws {AddedInPart} as `call`; the error carries the results of the batches before.
   */
  addSignals(bank: string, signals: readonly NewSignal[]): Promise<AddedSignal[]>
}

/** The error of `addSignals`. */
export interface AddedInPart extends Error {
  /** Results of the signals in earlier batches, in the same order. */
  readonly added: readonly AddedSignal[]
}

/** A refusal by the server. Contains the server's answer and nothing of the request. */
export class TabirProblem extends Error {
  readonly status: number
  /** A stable code; `unreadable` when the answer is not a problem document of the API. */
  readonly code: string
  readonly retryAfterS: number | undefined
  readonly problem: Schemas['Problem'] | undefined

  constructor(status: number, problem: Schemas['Problem'] | undefined, retryAfterS: number | undefined) {
    super(problem?.title ?? `status ${status}`)
    this.name = 'TabirProblem'
    this.status = status
    this.code = problem?.code ?? 'unreadable'
    this.retryAfterS = retryAfterS
    this.problem = problem
  }
}

const BATCH = 1000
/** The API's limit on the signals of all queries in one call. */
const BATCH_SIGNALS = 8000
const BATCH_LENGTH = 2_000_000 // characters of JSON; the API's limit is a body of 4 MiB
const MAX_TRIES = 5
const usualTimeoutMs = (operation: OperationId) => (['addVideo', 'matchVideo'].includes(operation) ? 1_500_000 : 60_000)
const FIRST_WAIT_MS = 250
const MAX_WAIT_MS = 60_000
/** POST operations that are safe to repeat without an idempotency key: queries, and additions that change nothing the second time. */
const REPEATABLE: readonly OperationId[] = ['match', 'matchImages', 'matchVideo', 'addSignals']
const NOT_DONE = [429] // after these every operation is safe to repeat, because the server did nothing
/** Statuses of temporary failures, after which the server may have done its work. */
const PASSING = [408, 500, 502, 503, 504]

/** Counts the signals of a query, which is a picture or a video of several frames. */
function signalsIn({ signals = [], video }: MatchQuery): number {
  return (video?.frames ?? []).reduce((sum, frame) => sum + frame.signals.length, signals.length)
}

/** Creates a client. Sends nothing. @throws {TypeError} when `url` is no address of a service */
export function tabirClient(options: ClientOptions): TabirClient {
  if (!isServiceAddress(options.url))
    throw new TypeError('url must be the address of a Tabir service, such as https://tabir.example')
  const { maxTries = MAX_TRIES, wait = sleep } = options

  const call = async <Op extends OperationId>(operation: Op, ...given: GivenArgs<Op>): Promise<Answer<Op>> => {
    const args: Args<Op> = given[0] ?? ({} as Args<Op>)
    const request = requestFor(options, operation, args)
    let mayBeDone = false
    for (let tries = 1; ; tries++) {
      const outcome = await attempt<Op>(options, operation, request)
      if (outcome.kind === 'answer') return outcome.answer
      const problem = outcome.kind === 'problem' ? outcome.problem : undefined
      if (mayBeDone && isGone(operation, problem)) return undefined as Answer<Op> // an earlier attempt removed it; its answer was lost
      if (mayBeDone && isReleased(operation, problem))
        return call('getSignal', args as Args<'getSignal'>) as Promise<Answer<Op>>
      mayBeDone ||= problem === undefined || PASSING.includes(problem.status)
      const worthIt = isWorthAnotherTry(operation, args, problem?.status)
      if (!worthIt || tries >= maxTries) throw problem ?? (outcome.kind === 'lost' ? outcome.error : undefined)
      const ownMs = FIRST_WAIT_MS * 2 ** (tries - 1) * (0.5 + Math.random() / 2)
      await wait(Math.min(MAX_WAIT_MS, problem?.retryAfterS === undefined ? ownMs : problem.retryAfterS * 1000))
    }
  }

  const match: TabirClient['match'] = async (queries, more = {}) => {
    const results: MatchResult[] = []
    for (const batch of batchesOf(queries, signalsIn))
      results.push(...(await call('match', { body: { ...more, queries: batch } })).results)
    return results
  }

  return {
    call,
    match,
    async matchPixels(pixels, { withDetails = false, aspect, ...more } = {}) {
      const { signals, isForm, isObject } = await hashImage(pixels, aspect === undefined ? {} : { aspect })
      const asked = { signals, ...(isForm && { isForm }), ...(isObject && { isObject }) }
      const query = withDetails ? { ...asked, details: await detailsOf(pixels) } : asked
      const [result] = await match([query], more)
      if (result === undefined) throw new Error('an answer without a result')
      return result
    },
    async addSignals(bank, signals) {
      const added: AddedSignal[] = []
      for (const batch of batchesOf(signals)) {
        try {
          added.push(...(await call('addSignals', { params: { bank }, body: { signals: batch } })).signals)
        } catch (error) {
          const refused = refusedWhole(error, batch)
          if (refused === undefined) throw error instanceof Error ? Object.assign(error, { added }) : error
          added.push(...refused)
        }
      }
      return added
    },
  }
}

/** Problem codes that are about signals. For these, `addSignals` returns the refusal as the result of each signal instead of throwing. */
const OF_SIGNALS = ['quality-too-low', 'signal-invalidated']

function refusedWhole(error: unknown, batch: readonly NewSignal[]): AddedSignal[] | undefined {
  const problem = error instanceof TabirProblem && OF_SIGNALS.includes(error.code) ? error.problem : undefined
  return problem && batch.map(() => ({ state: 'refused', problem }))
}

interface Request {
  readonly url: string
  readonly method: string
  readonly headers: Record<string, string>
  readonly body: BodyInit | undefined
}

/** Built once for all attempts, which must have the same idempotency key. */
function requestFor<Op extends OperationId>({ url, key }: ClientOptions, operation: Op, args: Args<Op>): Request {
  const { method, path, keyed, body: kind } = OPERATIONS[operation]
  const given: { params?: object; query?: object; body?: unknown } = args
  const params = new Map(Object.entries(given.params ?? {}).map(([name, value]) => [name, String(value)]))
  const route = path.replaceAll(/\{(\w+)\}/g, (_, name) => encodeURIComponent(params.get(name) ?? ''))
  const target = routeAt(url, route)
  for (const [name, value] of Object.entries(given.query ?? {})) {
    const values: unknown[] = Array.isArray(value) ? value : [value]
    for (const item of values) if (item !== undefined) target.searchParams.append(name, String(item))
  }
  const headers: Record<string, string> = {}
  if (key !== undefined) headers['authorization'] = `Bearer ${key}`
  if (keyed) headers['idempotency-key'] = crypto.randomUUID()
  const lines = operation === 'addHashes' ? linesOf(given.body as Args<'addHashes'>['body']) : undefined
  if (kind === 'json') headers['content-type'] = lines === undefined ? 'application/json' : 'application/x-ndjson'
  if (kind === 'file') headers['content-type'] = 'application/octet-stream'
  return { url: target.href, method, headers, body: kind === 'none' ? undefined : (lines ?? bodyOf(kind, given.body)) }
}

function bodyOf(kind: 'json' | 'form' | 'file', body: unknown): BodyInit | undefined {
  if (kind === 'json') return JSON.stringify(body ?? {})
  const isFile =
    typeof body === 'string' ||
    body instanceof FormData ||
    body instanceof Blob ||
    body instanceof ArrayBuffer ||
    body instanceof ReadableStream ||
    (body instanceof Uint8Array && body.buffer instanceof ArrayBuffer)
  return isFile ? (body as BodyInit) : undefined
}

type Outcome<Op extends OperationId> =
  | { readonly kind: 'answer'; readonly answer: Answer<Op> }
  | { readonly kind: 'problem'; readonly problem: TabirProblem }
  /** No answer, or an incomplete one: the server may or may not have done its work. */
  | { readonly kind: 'lost'; readonly error: unknown }

async function attempt<Op extends OperationId>(
  { fetch: send = fetch, timeoutMs }: ClientOptions,
  operation: Op,
  { url, ...request }: Request,
): Promise<Outcome<Op>> {
  const { body, ...rest } = request
  const isStream = body instanceof ReadableStream
  const init = {
    ...rest,
    redirect: 'manual' as const, // the api never redirects; another server would get the hashes
    ...(body !== undefined && { body }),
    ...(isStream ? { duplex: 'half' } : { signal: AbortSignal.timeout(timeoutMs ?? usualTimeoutMs(operation)) }), // streams may take long
  }
  try {
    const response = await send(url, init)
    if (!response.ok) return { kind: 'problem', problem: await problemIn(response) }
    if (!isOurs(operation, response)) return { kind: 'lost', error: new TabirProblem(response.status, undefined, undefined) }
    return { kind: 'answer', answer: await answerIn<Op>(operation, response) }
  } catch (error) {
    return { kind: 'lost', error }
  }
}

/** @returns whether the API sent this answer. The sign-in page of a captive portal has status 200, too. */
function isOurs(operation: OperationId, { status, headers }: Response): boolean {
  if (OPERATIONS[operation].answer === 'nothing') return status === 202 || status === 204
  return status !== 204 && headers.get('content-type')?.startsWith('text/html') !== true
}

/** Whether the object of a DELETE is missing. After an attempt whose answer was lost, this means that the attempt succeeded. */
function isGone(operation: OperationId, problem: TabirProblem | undefined): boolean {
  const { method, answer } = OPERATIONS[operation]
  return method === 'DELETE' && answer === 'nothing' && problem?.status === 404 && problem.code !== 'route-unknown'
}

/** The same for the release of a signal. The lost answer is the state of the signal, which `getSignal` returns as well. */
function isReleased(operation: OperationId, problem: TabirProblem | undefined): boolean {
  return operation === 'releaseSignal' && problem?.code === 'quarantine-conflict'
}

function isWorthAnotherTry<Op extends OperationId>(operation: Op, args: Args<Op>, status: number | undefined): boolean {
  const given: { params?: object; query?: object; body?: unknown } = args
  if (given.body instanceof ReadableStream) return false // a stream can be sent only once
  if (status !== undefined && NOT_DONE.includes(status)) return true
  const { method, keyed } = OPERATIONS[operation]
  const isRepeatable = method !== 'POST' || keyed || REPEATABLE.includes(operation)
  return isRepeatable && (status === undefined || PASSING.includes(status))
}

async function answerIn<Op extends OperationId>(operation: Op, response: Response): Promise<Answer<Op>> {
  const { answer } = OPERATIONS[operation]
  if (answer === 'file') return response as Answer<Op>
  const body: unknown = answer === 'nothing' ? undefined : await response.json()
  return body as Answer<Op> // not checked here: tests of the server compare its answers with openapi.yaml
}

async function problemIn(response: Response): Promise<TabirProblem> {
  const retryAfterS = Number(response.headers.get('retry-after') ?? Number.NaN)
  const body: unknown = await response.json().catch(() => undefined)
  const isProblem = typeof body === 'object' && body !== null && 'code' in body && 'title' in body && 'status' in body
  const problem = isProblem ? (body as Schemas['Problem']) : undefined
  return new TabirProblem(response.status, problem, retryAfterS >= 0 ? retryAfterS : undefined)
}

/** Splits a list into batches within all limits of one call. An item beyond the limits becomes a batch of its own, which the API refuses. */
function* batchesOf<T>(items: readonly T[], signalsIn: (item: T) => number = () => 1): Generator<readonly T[]> {
  let [first, signals, length] = [0, 0, 0]
  for (const [i, item] of items.entries()) {
    const [ownSignals, ownLength] = [signalsIn(item), JSON.stringify(item).length]
    const isFull = i - first === BATCH || signals + ownSignals > BATCH_SIGNALS || length + ownLength > BATCH_LENGTH
    if (i > first && isFull) {
      yield items.slice(first, i)
      first = i
      signals = 0
      length = 0
    }
    signals += ownSignals
    length += ownLength
  }
  if (items.length > 0) yield items.slice(first)
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
