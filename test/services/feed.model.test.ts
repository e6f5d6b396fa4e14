// Many writers on two processes, while readers read, break off, resume and switch processes. In the end each reader
// holds what exists, and nothing was sent more often than it changed; images of cases wait for their batch
// meanwhile. TABIR_TEST_FEED_WRITES=100000 for the long run.

import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import t from 'tap'
import { formatHash, type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'
import type { FeedLine } from '../../src/domain/organisations/feed.js'
import { Problem } from '../../src/domain/problem.js'
import { keys } from '../../src/store/redis/keys.js'
import { keyFor, openCase, startService, type TestService, until } from '../helpers/service.js'
import { ask, operator } from '../helpers/trust.js'

const WRITES = Number(process.env['TABIR_TEST_FEED_WRITES'] ?? 200)
/**
 * Each write waits for the disk together with all others of that moment, so the long run has more of them at once.
 */
const WRITERS = WRITES > 1000 ? 32 : 8
const READERS = 3
/**
 * On a busy machine everything in one process may fall behind for long: then it refuses, and the request is
 * repeated.
 */
const PATIENCE_MS = WRITES > 1000 ? 120_000 : 60_000
const POOL = 12
/** Pages of few lines break a stream of changes at every place; long ones keep up with it. */
const PAGE_LINES = [10, 10, 10, 1000]
/** Short, yet long enough that batches of images of cases are open nearly all the time. */
const FEED_DELAY = { minMs: 20, maxMs: 200 }
const NOBODY = new AbortController().signal

/** What a writer knows of a hash: how often it changed, and its last state. */
interface Truth {
  changes: number
  state: 'there' | 'held' | 'gone'
}

type OpenCase = Awaited<ReturnType<typeof openCase>> & { readonly pictures: string[] }

t.test('a feed under concurrent writes loses and repeats nothing', async (t) => {
  const first = await startService(t, { feedDelay: FEED_DELAY })
  const processes = [first, await startService(t, { redis: first.redis, feedDelay: FEED_DELAY })]
  const redis = new Redis(first.redis.socket)
  t.teardown(() => redis.disconnect())
  const ngo = await keyFor(first, 'ngo', ['signals:write'], 'ngo')
  await operator(first)
  await ask(first, 'POST', '/v1/banks', ngo.headers, { name: 'mine' })
  const owner = first.services.identify(ngo.key)
  if (owner === undefined) throw new Error('a key that was made is known')
  const bank = await first.services.banks.writable(owner, 'mine')
  const truth = new Map<string, Truth>()
  let toWrite = Math.ceil(WRITES / 2)
  const stillWriting = { yes: true }

  const sleeper = reader('sleeper')
  await sleeper.readOn(first, () => false)
  const readers = Array.from({ length: READERS }, (_, i) => reader(`reader-${i}`))
  const latecomers = [reader('latecomer-0'), reader('latecomer-1'), reader('latecomer-2')]
  const write = () => Promise.all(Array.from({ length: WRITERS }, () => writer()))
  const reading = Promise.all(readers.map((one) => one.readOn(undefined, () => stillWriting.yes)))
  await write()

  // One reader paused until the stream no longer reached back to its cursor.
  await caughtUp()
  t.same(
    readers.map(({ snapshots }) => snapshots()),
    readers.map(() => 1),
    'a steady reader gets one snapshot',
  )
  await redis.xtrim('{tabir}:changes', 'MAXLEN', 5)
  toWrite = Math.floor(WRITES / 2)
  // Others begin while there is much to read and much changes.
  const beginning = Promise.all(latecomers.map((one) => one.readOn(undefined, () => stillWriting.yes)))
  await write()
  stillWriting.yes = false
  await Promise.all([reading, beginning])
  await caughtUp()

  await sleeper.readOn(first, () => false)
  const expected = new Set([...truth].filter(([, { state }]) => state === 'there').map(([hash]) => hash))
  t.ok(truth.size > 20 && expected.size > 10, `${truth.size} hashes, ${expected.size} of them there in the end`)
  for (const one of [...readers, ...latecomers, sleeper]) {
    t.same(new Set(one.held.values()), expected, `${one.name} holds what there is`)
    t.equal(one.held.size, expected.size, `${one.name} holds it once`)
    if (one.snapshots() > 1) continue // a second snapshot repeats entries
    const tooOften = [...one.told].filter(([hash, times]) => times > (truth.get(hash)?.changes ?? 0))
    t.same(tooOften, [], `${one.name} was told of no entry more often than it changed`)
  }
  t.ok(
    readers.some(({ broken }) => broken() > 0),
    'pages were broken off',
  )
  t.equal(sleeper.snapshots(), 2, 'a reader that paused gets a snapshot')

  /** A hash of a pool that others write too; each is written by one writer at a time. */
  async function writer(): Promise<void> {
    const pool = Array.from({ length: POOL }, () => hashFromBytes(randomBytes(32)))
    const ids = new Map<string, string>()
    let her: OpenCase | undefined
    while (toWrite-- > 0) {
      const { services, app } = processes[Math.floor(Math.random() * 2)] ?? first
      const hash = pool[Math.floor(Math.random() * POOL)] ?? hashFromBytes(randomBytes(32))
      const text = formatHash(hash)
      const known = truth.get(text)
      const dice = Math.random()
      if (dice < 0.05) her = await picturesOf(app, her)
      else if (known === undefined || known.state === 'gone' || dice < 0.2) ids.set(text, await put(services, hash, known))
      else if (dice < 0.5 && known.state === 'there') await change(text, 'gone', () => remove(services, ids.get(text) ?? ''))
      else if (known.state === 'there')
        await change(text, 'held', () => services.trust.hold(ids.get(text) ?? '', { cause: 'operator', flood: 0 }))
      else await change(text, 'there', () => services.trust.release(ids.get(text) ?? ''))
    }
  }

  async function put({ registration }: TestService['services'], hash: Hash256, known: Truth | undefined) {
    const signal = { type: 'pdq', view: 'whole', quality: 100, hash } as const
    const { ids, revision } = await registration.forBank(bank, [{ signal, ref: undefined, category: undefined }])
    await registration.matchable(revision).catch(unlessLate)
    truth.set(formatHash(hash), {
      changes: (known?.changes ?? 0) + 1,
      state: known?.state === 'held' ? 'held' : 'there',
    })
    return ids[0] ?? ''
  }

  async function remove({ registration }: TestService['services'], id: string) {
    await registration.removeFromBank(bank, id, 'operator')
  }

  async function change(hash: string, state: Truth['state'], act: () => Promise<unknown>) {
    await act().catch(unlessLate)
    truth.set(hash, { changes: (truth.get(hash)?.changes ?? 0) + 1, state })
  }

  /**
   * Pictures of a case are added together and removed together. Opening a case is slow by itself: its PIN is
   * stretched.
   */
  async function picturesOf(app: TestService['app'], open: OpenCase | undefined): Promise<OpenCase | undefined> {
    const her = open ?? { ...(await openCase(app)), pictures: [] }
    const hashes = Array.from({ length: 1 + Math.floor(Math.random() * 4) }, () =>
      formatHash(hashFromBytes(randomBytes(32))),
    )
    const images = hashes.map((hash) => ({ signals: [{ type: 'pdq', hash, quality: 100 }] }))
    await answered(() => app.inject({ method: 'POST', url: `${her.url}/hashes`, headers: her.headers, payload: { images } }))
    for (const hash of hashes) truth.set(hash, { changes: 1, state: 'there' })
    her.pictures.push(...hashes)
    if (Math.random() < 0.8) return her
    await answered(() => app.inject({ method: 'DELETE', url: her.url, headers: her.headers }))
    for (const hash of her.pictures) truth.set(hash, { changes: 2, state: 'gone' })
    return undefined
  }

  /** Where everything happens in one process, an index can be late: then it refuses, and the request is repeated. */
  async function answered(ask: () => Promise<{ readonly statusCode: number; readonly body: string }>): Promise<void> {
    for (const fromMs = performance.now(); ; ) {
      const { statusCode, body } = await ask()
      if (statusCode < 300) return
      if (statusCode !== 503 || performance.now() - fromMs > PATIENCE_MS) throw new Error(body)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async function caughtUp(): Promise<void> {
    const isEven = async () =>
      (await Promise.all(processes.map(({ services }) => services.health.behind()))).every((n) => n === 0)
    await until(() => isEven().catch(() => false), PATIENCE_MS)
  }

  function reader(name: string) {
    const who = {
      orgId: name,
      keyId: 'k',
      allViews: true,
      filter: { banks: undefined, categories: undefined, tiers: undefined },
    }
    const held = new Map<string, string>()
    const told = new Map<string, number>()
    let named: Set<string> | undefined
    let cursor: string | undefined
    let broken = 0
    let answeredAtMs = performance.now()
    let snapshots = 0

    function apply(lines: readonly FeedLine[]): boolean {
      let more = true
      for (const line of lines) {
        if (line.op === 'snapshot-begin') {
          named = new Set()
          snapshots++
        } else if (line.op === 'tombstone') held.delete(line.id)
        else if (line.op === 'upsert') {
          const [signal] = line.signals
          const hash = signal === undefined ? '' : formatHash(signal.hash)
          held.set(line.id, hash)
          named?.add(line.id)
          told.set(hash, (told.get(hash) ?? 0) + 1)
        } else if (line.op === 'snapshot-end') {
          for (const id of held.keys()) if (named?.has(id) === false) held.delete(id)
          named = undefined
        } else if (line.op === 'cursor') {
          cursor = line.cursor
          more = line.more
        }
      }
      return more
    }

    return {
      name,
      held,
      told,
      broken: () => broken,
      snapshots: () => snapshots,
      /** Reads until no writer is left and nothing more is to be read. */
      async readOn(only: TestService | undefined, isWriting: () => boolean): Promise<void> {
        for (;;) {
          const wasWriting = isWriting()
          const { services } = only ?? processes[Math.floor(Math.random() * 2)] ?? first
          const isWaiting = (await redis.zcard(keys.feedWaiting)) > 0
          const knowsAll = !wasWriting && !isWaiting && (await services.health.behind()) === 0
          const most = PAGE_LINES[Math.floor(Math.random() * PAGE_LINES.length)] ?? 1
          const limit = 1 + Math.floor(Math.random() * most)
          const breaksAt = wasWriting && Math.random() < 0.3 ? Math.floor(Math.random() * 10) : Number.POSITIVE_INFINITY
          const lines: FeedLine[] = []
          try {
            const waitMs = wasWriting || isWaiting ? Math.floor(Math.random() * 40) : 0
            for await (const line of services.feed.page(who, { after: cursor, limit, waitMs, signal: NOBODY })) {
              lines.push(line)
              if (lines.length > breaksAt) break
            }
          } catch (error) {
            unlessLate(error)
            if (performance.now() - answeredAtMs > PATIENCE_MS) throw error
            await new Promise((resolve) => setTimeout(resolve, 20))
            continue
          }
          answeredAtMs = performance.now()
          if (lines.at(-1)?.op !== 'cursor') {
            broken++
            continue
          }
          if (!apply(lines) && knowsAll) return
        }
      },
    }
  }
})

/** A write is done even when an index is late to know it. */
function unlessLate(error: unknown): void {
  if (!(error instanceof Problem) || !['index-loading', 'store-unavailable'].includes(error.code)) throw error
}
