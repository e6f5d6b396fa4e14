// The entry point of `@tabir/feed`: follows the feed of a Tabir service and matches in memory, inside your own network.

import { setTimeout as sleep } from 'node:timers/promises'
import { isServiceAddress, routeAt } from '../../core/src/service-address.js'
import { loadHeld, saveHeld } from './file.js'
import { type AskedSignal, Held, type LocalMatch } from './held.js'
import { FeedError, linesOf, parseLine } from './parse-lines.js'

export { parseSignalHash } from '../../core/src/matching/hash-text.js'
export { parseHash } from '../../hash/src/hash256.js'
export type { AskedSignal, LocalMatch } from './held.js'
export { FeedError } from './parse-lines.js'

export interface FollowOptions {
  /** Address of the service: `https://tabir.example`, or `https://ngo.example/tabir` below a path. */
  readonly baseUrl: string
  /** An API key with the scope `feed`. */
  readonly key: string
  /** A file that keeps the signals between two starts; without one, they are kept in memory only. Protect it as you would protect the pictures. */
  readonly file?: string
  /** Follow only these banks, categories or tiers. All by default. */
  readonly banks?: readonly string[]
  readonly categories?: readonly string[]
  readonly tiers?: readonly string[]
  /** How often the file is written while signals change. A withdrawn signal stays in the file no longer than this. 60,000 by default. */
  readonly saveIntervalMs?: number
  /** Replaces the platform's own `fetch`. */
  readonly fetch?: typeof fetch
  /** Called with each error that `run` retries after. */
  readonly onError?: (error: unknown) => void
}

export interface FollowedFeed {
  /**
   * Reads all pages until the end of the feed, then saves.
   * @throws {FeedError} at the first error; what was applied stays, and the next call continues there. {Error} when the file cannot be written.
   */
  sync(): Promise<void>
  /**
   * Follows the feed until `signal` aborts; a change usually arrives within a second. Retries after every error, waiting 0.5 to 60 seconds.
   * @throws {FeedError} when the server refuses the key or the request, because a retry cannot help.
   */
  run(signal: AbortSignal): Promise<void>
  /**
   * Finds the signals that the service would grade `near` or better by its hashes: at most 100, nearest first. Searches in memory and sends nothing.
   *
   * The `id` of a match is the server's `matchId`: use it to report feedback. To find rotated and mirrored copies, ask with all hashes that
   * `@tabir/hash` gives, each with its `transform`. Ask about all views of a picture in one call: distant views count only if two agree.
   *
   * @param thresholdBits replaces the service's rules: all signals within this distance match. 0…256.
   */
  match(signals: readonly AskedSignal[], thresholdBits?: number): LocalMatch[]
  /** How many signals are in memory. */
  readonly size: number
  /** Replaces the file if anything changed. @throws {Error} when the file cannot be written; the old one is kept. */
  save(): Promise<void>
}

/** How long `run` lets the server hold a request until something changes. */
const WAIT_S = 30
const PAGE_LIMIT = 5000
const TIMEOUT_MS = (WAIT_S + 90) * 1000
const SAVE_INTERVAL_MS = 60_000
const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 60_000
/** Codes of refusals that no retry can change. */
const PERMANENT_CODES: readonly (string | undefined)[] = ['key-missing', 'key-invalid', 'scope-missing', 'request-invalid']

/** Loads the file, if there is one. Sends no request. @throws {FeedError} file-unreadable; {TypeError} when `baseUrl` is no address of a service */
export async function openFeed(options: FollowOptions): Promise<FollowedFeed> {
  const { baseUrl, file, saveIntervalMs = SAVE_INTERVAL_MS, onError = () => {} } = options
  if (!isServiceAddress(baseUrl))
    throw new TypeError('baseUrl must be the address of a Tabir service, such as https://tabir.example')
  const held = new Held()
  if (file !== undefined) await loadHeld(held, file)
  const saver = createSaver(held, file)
  const nextPage = createPageReader(options, held, saver.noteChange)

  async function saveIfDue(): Promise<void> {
    if (saver.ageMs() > saveIntervalMs) await saver.save()
  }

  return {
    async sync() {
      const never = new AbortController().signal
      while (await nextPage(0, never)) await saveIfDue()
      await saver.save()
    },
    async run(signal) {
      let retryMs = FIRST_RETRY_MS
      while (!signal.aborted) {
        try {
          await nextPage(WAIT_S, signal)
          retryMs = FIRST_RETRY_MS
          await saveIfDue()
        } catch (error) {
          if (signal.aborted) break
          if (error instanceof FeedError && PERMANENT_CODES.includes(error.code)) throw error
          onError(error)
          await sleep(retryMs, undefined, { signal }).catch(() => {})
          retryMs = Math.min(2 * retryMs, LAST_RETRY_MS)
        }
      }
      await saver.save()
    },
    match: (signals, thresholdBits) => held.match(signals, thresholdBits),
    get size() {
      return held.size
    },
    save: saver.save,
  }
}

/**
 * Reads the next page of the feed and applies it, long-polling for up to `waitS` seconds.
 * @returns whether another page is ready now. @throws {FeedError}
 */
type PageReader = (waitS: number, signal: AbortSignal) => Promise<boolean>

function createPageReader(options: FollowOptions, held: Held, noteChange: () => void): PageReader {
  const { baseUrl, key, fetch: send = fetch } = options

  function urlFor(waitS: number): string {
    const url = routeAt(baseUrl, '/v1/feed')
    url.searchParams.set('limit', String(PAGE_LIMIT))
    if (held.cursor !== undefined) url.searchParams.set('after', held.cursor)
    if (waitS > 0) url.searchParams.set('wait', String(waitS))
    for (const name of ['banks', 'categories', 'tiers'] as const) {
      const asked = options[name]
      if (asked !== undefined) url.searchParams.set(name, asked.join(','))
    }
    return url.href
  }

  /** Applies each line as it arrives. A page that breaks off is read again from its start; applying a line twice changes nothing. */
  async function readPage(waitS: number, signal: AbortSignal): Promise<boolean> {
    const answer = await send(urlFor(waitS), {
      headers: { authorization: `Bearer ${key}` },
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      redirect: 'error',
    }).catch((error: unknown) => {
      throw signal.aborted ? error : new FeedError('unreachable')
    })
    if (answer.status !== 200 || answer.body === null) throw await refusalIn(answer)
    for await (const text of linesOf(answer.body)) {
      const line = parseLine(text)
      held.apply(line)
      noteChange()
      if (line.op === 'cursor') return line.more
    }
    throw new FeedError('feed-broken-off')
  }

  return async (waitS, signal) => {
    try {
      return await readPage(waitS, signal)
    } catch (error) {
      if (!(error instanceof FeedError) || error.code !== 'cursor-unknown' || held.cursor === undefined) throw error
      held.forgetCursor()
      return true
    }
  }
}

interface Saver {
  readonly noteChange: () => void
  /** Time since the last save was started. */
  readonly ageMs: () => number
  readonly save: () => Promise<void>
}

function createSaver(held: Held, file: string | undefined): Saver {
  let isSaved = true
  let saving: Promise<void> = Promise.resolve()
  let savedAtMs = performance.now()

  async function saveNow(): Promise<void> {
    if (file === undefined || isSaved) return
    isSaved = true
    savedAtMs = performance.now()
    try {
      await saveHeld(held, file)
    } catch (error) {
      isSaved = false // the next save tries again, even if nothing changes until then
      throw error
    }
  }

  return {
    noteChange() {
      isSaved = false
    },
    ageMs: () => performance.now() - savedAtMs,
    /** One save at a time, or an older state could replace a newer one. */
    save() {
      const saved = saving.then(saveNow)
      saving = saved.catch(() => {}) // only this call reports the error
      return saved
    },
  }
}

async function refusalIn(answer: Response): Promise<FeedError> {
  const body: unknown = await answer.json().catch(() => undefined)
  const code = typeof body === 'object' && body !== null && 'code' in body ? String(body.code) : undefined
  return new FeedError('refused', code)
}
