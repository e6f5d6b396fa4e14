// The package's entry point @tabir/client: the whole API with its types, in Node or in a browser; batches, waits and hashes by itself.

import { detailsOf, type GivenSignal, hashImage, type Pixels } from '@tabir/hash'
import { OPERATIONS, type Operations, type Schemas } from './operations.generated.js'

export type OperationId = keyof Operations
export type Args<Op extends OperationId> = Operations[Op]['args']
export type Answer<Op extends OperationId> = Operations[Op]['answer']
export type { GivenSignal, Pixels, Schemas }

export interface ClientOptions {
  /** Of the api, `https://tabir.example`. */
  readonly url: string
  /** An API key, or the token of a case; neither for what is public. */
  readonly key?: string
  /** How often one request is sent in all, where it is safe to send it again. */
  readonly maxTries?: number
  /** For each try. */
  readonly timeoutMs?: number
  /** In place of the platform's own. */
  readonly fetch?: typeof fetch
  /** Between tries. */
  readonly wait?: (ms: number) => Promise<unknown>
}

export type MatchQuery = Args<'match'>['body']['queries'][number]
export type MatchResult = Answer<'match'>['results'][number]
export type MatchOptions = Omit<Args<'match'>['body'], 'queries'>
export type NewSignal = Extract<Args<'addSignals'>['body'], { signals: unknown }>['signals'][number]
export type AddedSignal = Answer<'addSignals'>['signals'][number]

export interface TabirClient {
  /**
   * Any operation of the API, by its id in openapi.yaml.
   * @throws {TabirProblem} for a refusal, when it is not worth another try or has had all of them.
   * @throws what `fetch` throws, when there was no answer at the last try.
   */
  call<Op extends OperationId>(operation: Op, args: Args<Op>): Promise<Answer<Op>>
  /** Any number of queries, in batches of at most 1,000 that one call takes; a result for each, in their order. */
  match(queries: readonly MatchQuery[], options?: MatchOptions): Promise<MatchResult[]>
  /**
   * Hashes a picture here, so that it stays here, and asks.
   *
   * @param pixels as for `hashImage` of `@tabir/hash`; as for its `detailsOf` with `withDetails`.
   * @param options.withDetails also by the picture's details, for a service that offers extended protection; one that does not refuses it.
   *   That is up to 250 kB a picture, and says more of it than hashes do.
   */
  matchPixels(
    pixels: Pixels,
    options?: MatchOptions & { readonly withDetails?: boolean; readonly aspect?: number },
  ): Promise<MatchResult>
  /**
   * Any number of signals, in batches of 1,000; what became of each, in their order. Repeating it changes nothing. A batch of which nothing
   * can be used is told as refused, like the rest.
   * @throws {AddedInPart} as `call`; what became of the batches before goes with the error.
   */
  addSignals(bank: string, signals: readonly NewSignal[]): Promise<AddedSignal[]>
}

/** What `addSignals` throws once it has begun. */
export interface AddedInPart extends Error {
  /** What became of the signals that were handed in before, in their order. */
  readonly added: readonly AddedSignal[]
}

/** A refusal: what the server said, and nothing that was sent. */
export class TabirProblem extends Error {
  readonly status: number
  /** Stable; `unreadable` when the answer was no problem of the API. */
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
/** As many as the API takes in one call, of all queries together. */
const BATCH_SIGNALS = 8000
/** Characters of JSON: the API takes bodies of 4 MiB. */
const BATCH_LENGTH = 2_000_000
const MAX_TRIES = 5
const TIMEOUT_MS = 60_000
const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 60_000
/** What asks, or does the same when it is done twice, although it is a POST. The others are keyed, or are not repeated. */
const REPEATABLE: readonly OperationId[] = ['match', 'matchImages', 'addSignals']
/** Nothing was done, whatever was asked. */
const NOT_DONE = [429]
const PASSING = [408, 500, 502, 503, 504]

export function tabirClient(options: ClientOptions): TabirClient {
  const { maxTries = MAX_TRIES, wait = sleep } = options

  const call = async <Op extends OperationId>(operation: Op, args: Args<Op>): Promise<Answer<Op>> => {
    const request = requestFor(options, operation, args)
    let mayBeDone = false
    for (let tries = 1; ; tries++) {
      const outcome = await attempt<Op>(options, operation, request)
      if (outcome.kind === 'answer') return outcome.answer
      const problem = outcome.kind === 'problem' ? outcome.problem : undefined
      if (mayBeDone && isGone(operation, problem)) return undefined as Answer<Op> // as the lost answer said
      if (mayBeDone && isReleased(operation, problem))
        return call('getSignal', args as Args<'getSignal'>) as Promise<Answer<Op>>
      mayBeDone ||= problem === undefined || PASSING.includes(problem.status)
      const worthIt = isWorthAnotherTry(operation, args, problem?.status)
      if (!worthIt || tries >= maxTries) throw problem ?? (outcome.kind === 'lost' ? outcome.error : undefined)
      const ownMs = FIRST_WAIT_MS * 2 ** (tries - 1) * (0.5 + Math.random() / 2)
      await wait(Math.min(LONGEST_WAIT_MS, problem?.retryAfterS === undefined ? ownMs : problem.retryAfterS * 1000))
    }
  }

  const match: TabirClient['match'] = async (queries, more = {}) => {
    const results: MatchResult[] = []
    for (const batch of batchesOf(queries, ({ signals }) => signals.length))
      results.push(...(await call('match', { body: { ...more, queries: batch } })).results)
    return results
  }

  return {
    call,
    match,
    async matchPixels(pixels, { withDetails = false, aspect, ...more } = {}) {
      const { signals } = await hashImage(pixels, aspect === undefined ? {} : { aspect })
      const query = withDetails ? { signals, details: await detailsOf(pixels) } : { signals }
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

/** Codes that speak of signals, and not of the call. */
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

/** One for all tries: a key of idempotency has to be the same each time. */
function requestFor<Op extends OperationId>({ url, key }: ClientOptions, operation: Op, args: Args<Op>): Request {
  const { method, path, keyed, body: kind } = OPERATIONS[operation]
  const given: { params?: object; query?: object; body?: unknown } = args
  const params = new Map(Object.entries(given.params ?? {}).map(([name, value]) => [name, String(value)]))
  const target = new URL(
    path.replaceAll(/\{(\w+)\}/g, (_, name) => encodeURIComponent(params.get(name) ?? '')),
    url,
  )
  for (const [name, value] of Object.entries(given.query ?? {})) {
    const values: unknown[] = Array.isArray(value) ? value : [value]
    for (const each of values) if (each !== undefined) target.searchParams.append(name, String(each))
  }
  const headers: Record<string, string> = {}
  if (key !== undefined) headers['authorization'] = `Bearer ${key}`
  if (keyed) headers['idempotency-key'] = crypto.randomUUID()
  if (kind === 'json') headers['content-type'] = 'application/json'
  if (kind === 'file') headers['content-type'] = 'application/octet-stream'
  return { url: target.href, method, headers, body: kind === 'none' ? undefined : bodyOf(kind, given.body) }
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
  /** No answer, or one that broke off: whether it was done is not known. */
  | { readonly kind: 'lost'; readonly error: unknown }

async function attempt<Op extends OperationId>(
  { fetch: send = fetch, timeoutMs = TIMEOUT_MS }: ClientOptions,
  operation: Op,
  { url, ...request }: Request,
): Promise<Outcome<Op>> {
  const { body, ...rest } = request
  const isStream = body instanceof ReadableStream
  const init = {
    ...rest,
    redirect: 'manual' as const, // the api never redirects; another server would get the hashes
    ...(body !== undefined && { body }),
    ...(isStream ? { duplex: 'half' } : { signal: AbortSignal.timeout(timeoutMs) }), // a file takes as long as it takes
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

/** A network that asks to sign in first answers with a page of its own, as if all were well. */
function isOurs(operation: OperationId, { status, headers }: Response): boolean {
  if (OPERATIONS[operation].answer === 'nothing') return status === 202 || status === 204
  return status !== 204 && headers.get('content-type')?.startsWith('text/html') !== true
}

/** What was to be removed is not there any more: after an attempt without an answer, that attempt removed it. */
function isGone(operation: OperationId, problem: TabirProblem | undefined): boolean {
  const { method, answer } = OPERATIONS[operation]
  return method === 'DELETE' && answer === 'nothing' && problem?.status === 404 && problem.code !== 'route-unknown'
}

/** The same of a signal that was to be released. Its answer is how the signal stands, and can be asked for. */
function isReleased(operation: OperationId, problem: TabirProblem | undefined): boolean {
  return operation === 'releaseSignal' && problem?.code === 'quarantine-conflict'
}

function isWorthAnotherTry<Op extends OperationId>(operation: Op, args: Args<Op>, status: number | undefined): boolean {
  const given: { params?: object; query?: object; body?: unknown } = args
  if (given.body instanceof ReadableStream) return false // it is read, and cannot be sent again
  if (status !== undefined && NOT_DONE.includes(status)) return true
  const { method, keyed } = OPERATIONS[operation]
  const isRepeatable = method !== 'POST' || keyed || REPEATABLE.includes(operation)
  return isRepeatable && (status === undefined || PASSING.includes(status))
}

async function answerIn<Op extends OperationId>(operation: Op, response: Response): Promise<Answer<Op>> {
  const { answer } = OPERATIONS[operation]
  if (answer === 'file') return response as Answer<Op>
  const body: unknown = answer === 'nothing' ? undefined : await response.json()
  return body as Answer<Op> // the server's promise, which openapi.yaml is checked against
}

async function problemIn(response: Response): Promise<TabirProblem> {
  const retryAfterS = Number(response.headers.get('retry-after') ?? Number.NaN)
  const body: unknown = await response.json().catch(() => undefined)
  const isProblem = typeof body === 'object' && body !== null && 'code' in body && 'title' in body && 'status' in body
  const problem = isProblem ? (body as Schemas['Problem']) : undefined
  return new TabirProblem(response.status, problem, retryAfterS >= 0 ? retryAfterS : undefined)
}

/** Within all limits of one call; an item beyond them by itself is a batch by itself, and the API says what is wrong with it. */
function* batchesOf<T>(all: readonly T[], signalsIn: (item: T) => number = () => 1): Generator<readonly T[]> {
  let [first, signals, length] = [0, 0, 0]
  for (const [i, item] of all.entries()) {
    const [ownSignals, ownLength] = [signalsIn(item), JSON.stringify(item).length]
    const isFull = i - first === BATCH || signals + ownSignals > BATCH_SIGNALS || length + ownLength > BATCH_LENGTH
    if (i > first && isFull) {
      yield all.slice(first, i)
      first = i
      signals = 0
      length = 0
    }
    signals += ownSignals
    length += ownLength
  }
  if (all.length > 0) yield all.slice(first)
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
