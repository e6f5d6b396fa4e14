// Pulls feeds of other systems into banks, page by page. Each pull continues where the last one ended.

import { createHmac, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bank } from '../../../packages/core/src/matching/bank.js'
import { inChunks } from '../../domain/in-chunks.js'
import type { BankChange } from '../../domain/organisations/bank-change.js'
import { RECORD_REJECTIONS, type RecordRejection } from '../../domain/organisations/bank-import.js'
import type { PullFailure, PullProgress } from '../../domain/organisations/exchange.js'
import { Problem } from '../../domain/problem.js'
import type { Exchange } from '../../exchange/exchange-config.js'
import { FeedError, type FeedRecord, type FeedRequest, MAX_RECORDS } from '../../exchange/feeds/feed-page.js'
import { type Outgoing, OutgoingError } from '../../net/outgoing.js'
import type { ExchangeState, Exchanges as ExchangeStore } from '../../store/exchange/exchanges.js'
import type { ImportRun } from '../../store/redis/guarded-writes.js'
import type { Registration } from '../intake/registration.js'
import { dropUnnamed, resyncIfStale } from './full-resync.js'

export interface ExchangeReport {
  readonly name: string
  readonly api: Exchange['api']
  readonly bank: string
  readonly intervalS: number
  /** Absent before the first pull. */
  readonly progress: PullProgress | undefined
}

export interface Exchanges {
  list(): Promise<ExchangeReport[]>
  /** @throws {Problem} exchange-unknown */
  report(name: string): Promise<ExchangeReport>
  /**
   * Reads a feed to its end. Each page is on disk and matches here before the next one is requested. After a crash the next pull repeats one page,
   * which is harmless. A new pull takes over from a running one of the same feed. If a feed was not read for longer than it keeps tombstones, it is
   * read from the beginning, and signals that it no longer names are removed.
   * @returns the outcome, including failures, without any text from the feed.
   * @throws {Problem} exchange-unknown, store-unavailable
   */
  pull(name: string): Promise<ExchangeReport>
}

export interface ExchangeParts {
  readonly exchanges: readonly Exchange[]
  readonly store: ExchangeStore
  readonly registration: Pick<Registration, 'changeBank' | 'settled' | 'signalIdFor'>
  readonly bankNamed: (name: string) => Bank | undefined
  readonly outgoing: Outgoing
  /** Keys the hashes under which names of records and feeds are stored. */
  readonly secret: Buffer
  readonly now: () => number
  /** Waits between attempts. */
  readonly wait?: (ms: number) => Promise<unknown>
}

const TIMEOUT_MS = 120_000
/** Usual pages have some hundred records of a few hundred bytes. */
const MAX_PAGE_BYTES = 8 << 20
const MAX_TRIES = 5
const FIRST_WAIT_MS = 500
const MAX_WAIT_MS = 60_000
/** Limits of one pull; the next one continues. A slow or endless feed must not delay the others. */
const MAX_PAGES = 10_000
const MAX_WALK_MS = 600_000
const CHANGES_AT_ONCE = 1000

export function createExchanges(parts: ExchangeParts): Exchanges {
  const { exchanges, store, now } = parts
  const named = (name: string): Exchange => {
    const found = exchanges.find((exchange) => exchange.name === name)
    if (found === undefined) throw new Problem('exchange-unknown')
    return found
  }
  const reportOf = async ({ name, api, bank, intervalS }: Exchange): Promise<ExchangeReport> => ({
    name,
    api,
    bank,
    intervalS,
    progress: (await store.get(name))?.progress,
  })
  return {
    list: () => Promise.all(exchanges.map(reportOf)),
    report: async (name) => reportOf(named(name)),
    async pull(name) {
      const exchange = named(name)
      const run = await store.begin(name, randomUUID())
      const before = await stateOf(parts, exchange)
      let state: ExchangeState = {
        ...before,
        progress: { ...before.progress, state: 'pulling', failure: undefined, startedAtMs: now(), updatedAtMs: now() },
      }
      try {
        await store.save(name, run, state, [])
        for await (const next of walk(parts, exchange, run, state)) state = next
      } catch (error) {
        if (error instanceof Problem && error.code === 'idempotency-key-busy') return reportOf(exchange) // another pull took over
        const failure = failureOf(error)
        const last = (await store.get(name)) ?? state
        await store.save(
          name,
          run,
          { ...last, progress: { ...last.progress, state: 'failed', failure, updatedAtMs: now() } },
          [],
        )
      }
      return reportOf(exchange)
    },
  }
}

async function stateOf(parts: ExchangeParts, exchange: Exchange): Promise<ExchangeState> {
  const { store, secret, now, bankNamed } = parts
  const { name, feed } = exchange
  const kept = await store.get(name)
  // A new bank of the same name lacks what was read into the old one, so it has another identity.
  const bank = bankNamed(exchange.bank)
  const read = `feed\0${feed.identity}\0${bank?.name}\0${bank?.createdAtMs}`
  const identity =
    bank === undefined && kept !== undefined ? kept.identity : createHmac('sha256', secret).update(read).digest('base64url')
  const fresh: PullProgress = {
    state: 'waiting',
    failure: undefined,
    startedAtMs: now(),
    updatedAtMs: now(),
    caughtUpAtMs: undefined,
    pages: 0,
    accepted: 0,
    removed: 0,
    refused: 0,
    rejectedFor: {},
  }
  if (kept?.identity === identity) return resyncIfStale(parts, exchange, kept)
  return { identity, place: feed.start, progress: kept?.progress ?? fresh } // the position in another feed means nothing here
}

/** Reads page by page. Yields the state after each page, once it is saved. @throws {FeedError}, {Problem} store-unavailable */
async function* walk(
  parts: ExchangeParts,
  exchange: Exchange,
  run: ImportRun,
  from: ExchangeState,
): AsyncGenerator<ExchangeState> {
  const { store, now, bankNamed } = parts
  const { name, feed } = exchange
  const bank = bankNamed(exchange.bank)
  if (bank === undefined) throw new FeedError('bank-unknown')
  const endsAtMs = now() + MAX_WALK_MS
  const token = feed.login === undefined ? '' : feed.login.token(await answerTo(parts, feed.login.request, endsAtMs))
  if (token === undefined) throw new FeedError('credentials-rejected')
  const been = new Set([markOf(from)])
  let state = from
  for (let pages = 0; pages < MAX_PAGES && now() < endsAtMs; pages++) {
    const { records, next, isLast } = feed.read(await pageAt(parts, exchange, state, token, endsAtMs), state.place)
    if (records.length > MAX_RECORDS) throw new FeedError('response-invalid')
    const { became, named, ...counts } = await take(parts, exchange, run, bank, records)
    if (state.repeatSinceMs !== undefined) await store.noteNamed(name, named)
    state = { ...state, place: next, progress: advanced(state.progress, counts, isLast, now()) }
    await store.save(name, run, state, became)
    yield state
    if (isLast && state.repeatSinceMs !== undefined) yield await dropUnnamed(parts, name, run, bank, state)
    if (isLast) return
    if (been.has(markOf(state))) throw new FeedError('pages-repeat')
    been.add(markOf(state))
  }
}

function markOf({ place: { position, cursor } }: ExchangeState): string {
  return JSON.stringify([position, cursor])
}

/** Reads the next page. If the feed refuses the cursor, which may be too old, reads again from the saved position: repeated records are harmless. */
async function pageAt(
  parts: ExchangeParts,
  { feed }: Exchange,
  { place }: ExchangeState,
  token: string,
  endsAtMs: number,
): Promise<Buffer> {
  const first = await answerTo(parts, feed.request(place, token), endsAtMs).catch((error: unknown) => {
    const isStale = place.cursor !== undefined && error instanceof FeedError && error.failure === 'request-rejected'
    if (!isStale) throw error
    return undefined
  })
  return first ?? answerTo(parts, feed.request({ position: place.position, highest: place.highest }, token), endsAtMs)
}

/** Retries up to `MAX_TRIES` times. @throws {FeedError} if there is no usable answer by then or by `endsAtMs` */
async function answerTo(
  { outgoing, now, wait = sleep }: ExchangeParts,
  request: FeedRequest,
  endsAtMs: number,
): Promise<Buffer> {
  for (let tries = 1; ; tries++) {
    let waitMs = FIRST_WAIT_MS * 2 ** (tries - 1)
    try {
      const { status, headers, body } = await outgoing({ ...request, timeoutMs: TIMEOUT_MS, maxAnswerBytes: MAX_PAGE_BYTES })
      if (status >= 200 && status < 300) return body
      if (status === 401 || status === 403) throw new FeedError('credentials-rejected')
      if (status !== 429 && status < 500) throw new FeedError('request-rejected')
      if (tries >= MAX_TRIES || now() >= endsAtMs) throw new FeedError('unreachable')
      const retryAfterMs = Number(headers['retry-after']) * 1000
      if (retryAfterMs > 0) waitMs = Math.min(retryAfterMs, MAX_WAIT_MS)
    } catch (error) {
      if (!(error instanceof OutgoingError)) throw error
      if (error.failure === 'answer-too-large') throw new FeedError('response-invalid')
      if (tries >= MAX_TRIES || now() >= endsAtMs) throw new FeedError('unreachable')
    }
    await wait(waitMs)
  }
}

interface Counts {
  readonly accepted: number
  readonly removed: number
  readonly rejectedFor: Partial<Readonly<Record<RecordRejection, number>>>
}

/** Applies one page to the bank. If several records have one name, the last one counts. */
async function take(
  { store, registration, secret }: ExchangeParts,
  { name }: Exchange,
  run: ImportRun,
  bank: Bank,
  records: readonly FeedRecord[],
) {
  const last = new Map<string, FeedRecord>()
  const rejectedFor: Partial<Record<RecordRejection, number>> = {}
  for (const record of records) {
    if (record.entry !== undefined) last.set(record.entry, record)
    if (record.kind === 'rejected') rejectedFor[record.why] = (rejectedFor[record.why] ?? 0) + 1
  }
  const all = [...last].map(([entry, record]) => ({
    key: createHmac('sha256', secret).update(`record\0${name}\0${entry}`).digest().subarray(0, 16),
    put: record.kind === 'put' ? record.signal : undefined,
    id: record.kind === 'put' ? registration.signalIdFor(bank, record.signal) : undefined,
  }))
  const before = await store.signalsOf(
    name,
    all.map(({ key }) => key),
  )
  const staying = new Set(all.map(({ id }) => id))
  const changes = all.flatMap(({ put, id }, i): BankChange[] => {
    const old = before[i]
    const puts: BankChange[] = put === undefined ? [] : [{ kind: 'put', signal: put }]
    const isReplaced = old !== undefined && old !== id && !staying.has(old)
    return isReplaced ? [...puts, { kind: 'remove-id', signalId: old }] : puts
  })
  let removed = 0
  let invalidated = 0
  for (const some of inChunks(changes, CHANGES_AT_ONCE)) {
    const outcome = await registration.changeBank(bank, some, run)
    await registration.settled(outcome.revision)
    removed += outcome.removed
    invalidated += outcome.invalidatedAt.size
  }
  const became = all.flatMap(({ key, id }, i): [Buffer, string | undefined][] =>
    id === undefined && before[i] === undefined ? [] : [[key, id]],
  )
  if (invalidated > 0) rejectedFor['signal-invalidated'] = invalidated
  return {
    accepted: all.filter(({ put }) => put !== undefined).length - invalidated,
    removed,
    rejectedFor,
    became,
    named: all.map(({ key }) => key),
  }
}

function advanced(
  before: PullProgress,
  { accepted, removed, rejectedFor }: Counts,
  isLast: boolean,
  nowMs: number,
): PullProgress {
  const counts = RECORD_REJECTIONS.map((why) => [why, (before.rejectedFor[why] ?? 0) + (rejectedFor[why] ?? 0)] as const)
  return {
    ...before,
    state: isLast ? 'waiting' : 'pulling',
    updatedAtMs: nowMs,
    caughtUpAtMs: isLast ? nowMs : before.caughtUpAtMs,
    pages: before.pages + 1,
    accepted: before.accepted + accepted,
    removed: before.removed + removed,
    refused: before.refused + Object.values(rejectedFor).reduce((sum, count) => sum + count, 0),
    rejectedFor: Object.fromEntries(counts.filter(([, count]) => count > 0)),
  }
}

function failureOf(error: unknown): PullFailure {
  if (error instanceof FeedError) return error.failure
  if (error instanceof Problem) return 'import-rejected'
  throw error
}
