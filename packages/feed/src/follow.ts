// `@tabir/feed`: follows a Tabir's feed and matches by it inside your own walls.

import { setTimeout as sleep } from 'node:timers/promises'
import { loadHeld, saveHeld } from './file.js'
import { type AskedSignal, Held, type LocalMatch } from './held.js'
import { FeedError, linesOf, parseLine } from './lines.js'

export { parseHash } from '../../hash/src/hash256.js'
export type { AskedSignal, LocalMatch } from './held.js'
export { FeedError } from './lines.js'

export interface FollowOptions {
  /** `https://tabir.example` */
  readonly baseUrl: string
  /** An API key with the scope `feed`. */
  readonly key: string
  /** Where to keep what is held between two starts; nowhere when left out. Treat it as you would treat the pictures. */
  readonly file?: string
  readonly banks?: readonly string[]
  readonly categories?: readonly string[]
  readonly tiers?: readonly string[]
  /** How often the file is written while something changes; what is withdrawn is out of it by then. A minute when left out. */
  readonly saveIntervalMs?: number
  /** In place of the platform's own. */
  readonly fetch?: typeof fetch
  /** Told of what went wrong while following; it is tried again. */
  readonly onError?: (error: unknown) => void
}

export interface FollowedFeed {
  /** Reads until there is nothing more. @throws {FeedError} */
  sync(): Promise<void>
  /** Follows until the signal: a change is heard within moments. Comes back from every trouble but a refused key. @throws {FeedError} */
  run(signal: AbortSignal): Promise<void>
  /**
   * Exact, from memory: every held signal that the service would answer by `near` or better, nearest first; with `thresholdBits` all within it.
   * The `id` is what the server calls `matchId`, so a verdict can be reported for it. Mirrored and turned copies are found by asking for the
   * hashes that `@tabir/hash` gives for them, each with its `transform`. Ask about all views at once: the farther ones have to agree.
   */
  match(signals: readonly AskedSignal[], thresholdBits?: number): LocalMatch[]
  readonly size: number
  /** Replaces the file, if there is something new. @throws {Error} when the disk does not take it: the file stays as it was. */
  save(): Promise<void>
}

const WAIT_S = 30
const PAGE_LIMIT = 5000
const TIMEOUT_MS = (WAIT_S + 90) * 1000
const SAVE_INTERVAL_MS = 60_000
const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 60_000
/** No waiting will make these pass. */
const FOR_GOOD: readonly (string | undefined)[] = ['key-missing', 'key-invalid', 'scope-missing', 'request-invalid']

/** Opens what was kept in the file, and asks nobody yet. @throws {FeedError} file-unreadable */
export async function openFeed(options: FollowOptions): Promise<FollowedFeed> {
  const { baseUrl, key, file, saveIntervalMs = SAVE_INTERVAL_MS, fetch: send = fetch, onError = () => {} } = options
  const held = new Held()
  if (file !== undefined) await loadHeld(held, file)
  let isSaved = true
  let saving: Promise<void> = Promise.resolve()
  let savedAtMs = performance.now()

  function urlFor(waitS: number): string {
    const url = new URL('/v1/feed', baseUrl)
    url.searchParams.set('limit', String(PAGE_LIMIT))
    if (held.cursor !== undefined) url.searchParams.set('after', held.cursor)
    if (waitS > 0) url.searchParams.set('wait', String(waitS))
    for (const name of ['banks', 'categories', 'tiers'] as const) {
      const asked = options[name]
      if (asked !== undefined) url.searchParams.set(name, asked.join(','))
    }
    return url.href
  }

  /** @returns whether there is more at once. A page that breaks off is read again: what it told holds all the same. */
  async function page(waitS: number, signal: AbortSignal): Promise<boolean> {
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
      isSaved = false
      if (line.op === 'cursor') return line.more
    }
    throw new FeedError('feed-broken-off')
  }

  async function next(waitS: number, signal: AbortSignal): Promise<boolean> {
    try {
      return await page(waitS, signal)
    } catch (error) {
      if (!(error instanceof FeedError) || error.code !== 'cursor-unknown' || held.cursor === undefined) throw error
      held.forgetCursor()
      return true
    }
  }

  /** One at a time, or an older state could replace a newer one. */
  function save(): Promise<void> {
    const saved = saving.then(saveNow)
    saving = saved.catch(() => {}) // told to the caller of this one alone
    return saved
  }

  async function saveNow(): Promise<void> {
    if (file === undefined || isSaved) return
    isSaved = true
    savedAtMs = performance.now()
    try {
      await saveHeld(held, file)
    } catch (error) {
      isSaved = false // so it is tried again, although nothing may change until then
      throw error
    }
  }

  return {
    async sync() {
      const never = new AbortController().signal
      while (await next(0, never)) if (performance.now() - savedAtMs > saveIntervalMs) await save()
      await save()
    },
    async run(signal) {
      let retryMs = FIRST_RETRY_MS
      while (!signal.aborted) {
        try {
          await next(WAIT_S, signal)
          retryMs = FIRST_RETRY_MS
          if (performance.now() - savedAtMs > saveIntervalMs) await save()
        } catch (error) {
          if (signal.aborted) break
          if (error instanceof FeedError && FOR_GOOD.includes(error.code)) throw error
          onError(error)
          await sleep(retryMs, undefined, { signal }).catch(() => {})
          retryMs = Math.min(2 * retryMs, LAST_RETRY_MS)
        }
      }
      await save()
    },
    match: (signals, thresholdBits) => held.match(signals, thresholdBits),
    get size() {
      return held.size
    },
    save,
  }
}

async function refusalIn(answer: Response): Promise<FeedError> {
  const body: unknown = await answer.json().catch(() => undefined)
  const code = typeof body === 'object' && body !== null && 'code' in body ? String(body.code) : undefined
  return new FeedError('refused', code)
}
