// Full resync of a pulled feed. A feed reports removals for a limited time only. If it was not read for longer, it is read from the beginning, and
// signals that it no longer names are removed.

import type { Bank } from '../../../packages/core/src/matching/bank.js'
import type { Exchange } from '../../exchange/exchange-config.js'
import type { ExchangeState, Exchanges as ExchangeStore } from '../../store/exchange/exchanges.js'
import type { ImportRun } from '../../store/redis/guarded-writes.js'
import type { Registration } from '../intake/registration.js'

export interface AnewParts {
  readonly store: ExchangeStore
  readonly registration: Pick<Registration, 'changeBank' | 'settled'>
  readonly now: () => number
}

/**
 * The state to continue from: the kept one, or the beginning of the feed if that is too old. A resync under way continues, unless it began too long
 * ago itself.
 */
export async function resyncIfStale(
  { store, now }: AnewParts,
  { name, feed }: Pick<Exchange, 'name' | 'feed'>,
  kept: ExchangeState,
): Promise<ExchangeState> {
  const readAtMs = kept.repeatSinceMs ?? kept.progress.caughtUpAtMs ?? kept.progress.updatedAtMs
  if (feed.tombstoneTtlMs === undefined || now() - readAtMs < feed.tombstoneTtlMs) return kept
  await store.forgetNamed(name)
  return { ...kept, place: feed.start, repeatSinceMs: now() }
}

/**
 * Removes the signals that the feed did not name during a resync. Call it once the feed was read to its end. If the process dies meanwhile, the next
 * pull calls it again: the noted names are deleted last.
 * @returns the saved state. @throws {Problem} store-unavailable
 */
export async function dropUnnamed(
  { store, registration, now }: AnewParts,
  name: string,
  run: ImportRun,
  bank: Bank,
  from: ExchangeState,
): Promise<ExchangeState> {
  let state = from
  for await (const gone of store.unnamed(name)) {
    if (gone.length === 0) continue
    const outcome = await registration.changeBank(
      bank,
      gone.map(({ signalId }) => ({ kind: 'remove-id', signalId })),
      run,
    )
    await registration.settled(outcome.revision)
    const { progress } = state
    state = { ...state, progress: { ...progress, updatedAtMs: now(), removed: progress.removed + outcome.removed } }
    await store.save(
      name,
      run,
      state,
      gone.map(({ record }) => [record, undefined]),
    )
  }
  state = { ...state, repeatSinceMs: undefined }
  await store.save(name, run, state, [])
  await store.forgetNamed(name)
  return state
}
