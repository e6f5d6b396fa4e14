// The position in each pulled feed, and which signals its records became: a removal in a feed names a record, not a hash.

import { z } from 'zod'
import { formatUuid, parseUuid } from '../../../packages/core/src/ids.js'
import { RECORD_REJECTIONS } from '../../domain/organisations/bank-import.js'
import { type FeedPosition, PULL_FAILURES, PULL_STATES, type PullProgress } from '../../domain/organisations/exchange.js'
import type { Store } from '../redis/client.js'
import { type ImportRun, writeGuarded } from '../redis/guarded-writes.js'
import { keys } from '../redis/keys.js'
import { scanHash } from '../redis/paging.js'
import { beginPull, forgetNamed, noteNamed, saveExchange } from '../scripts/organisations/exchanges.js'

const StateJson = z.object({
  identity: z.string(),
  place: z.object({ position: z.string(), cursor: z.string().optional(), highest: z.string() }),
  repeatSinceMs: z.int().optional(),
  progress: z.object({
    state: z.enum(PULL_STATES),
    failure: z.enum(PULL_FAILURES).optional(),
    startedAtMs: z.int(),
    updatedAtMs: z.int(),
    caughtUpAtMs: z.int().optional(),
    pages: z.int(),
    accepted: z.int(),
    removed: z.int(),
    refused: z.int(),
    rejectedFor: z.partialRecord(z.enum(RECORD_REJECTIONS), z.int()),
  }),
})

export interface ExchangeState {
  /** Keyed digest of the feed that this position belongs to. */
  readonly identity: string
  readonly place: FeedPosition
  /** Since when the feed is read again from the start. Afterwards, signals of records that it did not name are removed. */
  readonly repeatSinceMs?: number | undefined
  readonly progress: PullProgress
}

export interface Exchanges {
  get(name: string): Promise<ExchangeState | undefined>
  /** The ids of the signals that records became, in the order of `records`; a record's name is 16 bytes. */
  signalsOf(name: string, records: readonly Buffer[]): Promise<(string | undefined)[]>
  /** Begins a pull; one that still runs is overtaken. @param writer unique to this pull. */
  begin(name: string, writer: string): Promise<ImportRun>
  /** Durable when it returns. @throws {Problem} idempotency-key-busy when another pull has taken over. */
  save(
    name: string,
    run: ImportRun,
    state: ExchangeState,
    became: readonly (readonly [record: Buffer, signalId: string | undefined])[],
  ): Promise<void>
  /** Records that the feed still names these records. Durable when it returns. */
  noteNamed(name: string, records: readonly Buffer[]): Promise<void>
  forgetNamed(name: string): Promise<void>
  /** Records that became signals and that the feed did not name again, some at a time. */
  unnamed(name: string): AsyncGenerator<{ readonly record: Buffer; readonly signalId: string }[], void, void>
}

const SCANNED_AT_ONCE = 500

export function createExchangeStore(store: Store): Exchanges {
  return {
    async get(name) {
      const json = await store.ask((redis) => redis.get(keys.exchange(name)))
      if (json === null) return undefined
      const { identity, place, repeatSinceMs, progress } = StateJson.parse(JSON.parse(json))
      return {
        identity,
        place,
        repeatSinceMs,
        progress: { ...progress, failure: progress.failure, caughtUpAtMs: progress.caughtUpAtMs },
      }
    },
    async signalsOf(name, records) {
      if (records.length === 0) return []
      const found = await store.ask((redis) => redis.hmgetBuffer(keys.exchangeEntries(name), ...records))
      return records.map((_, i) => {
        const id = found[i]
        return id ? formatUuid(id) : undefined
      })
    },
    async begin(name, writer) {
      const key = keys.exchangeRun(name)
      await store.write(beginPull, [key], [writer])
      return { key, writer }
    },
    async save(name, run, state, became) {
      const args = became.flatMap(([record, id]) => [record, id === undefined ? '' : Buffer.from(parseUuid(id) ?? [])])
      const scriptKeys = [keys.exchange(name), keys.exchangeEntries(name)]
      await writeGuarded(store, { run }, saveExchange, scriptKeys, [JSON.stringify(state), ...args])
    },
    async noteNamed(name, records) {
      if (records.length > 0) await store.write(noteNamed, [keys.exchangeNamed(name)], [...records])
    },
    async forgetNamed(name) {
      await store.write(forgetNamed, [keys.exchangeNamed(name)], [])
    },
    async *unnamed(name) {
      for await (const found of scanHash(store, keys.exchangeEntries(name), SCANNED_AT_ONCE)) {
        const entries = found.map(([record, id]) => ({ record, signalId: formatUuid(id) }))
        if (entries.length === 0) continue
        const names = entries.map(({ record }) => record)
        const named = await store.ask((redis) => redis.smismember(keys.exchangeNamed(name), names))
        yield entries.filter((_, k) => named[k] === 0)
      }
    },
  }
}
