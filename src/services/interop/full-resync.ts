// A feed that was not read for longer than it tells of what is gone: it is read anew, and what it does not name any more goes.

import type { Bank } from '../../domain/organisations/bank.js'
import type { Exchange } from '../../exchange/exchange-config.js'
import type { ExchangeState, Exchanges as ExchangeStore } from '../../store/exchange/exchanges.js'
import type { ImportRun } from '../../store/redis/guarded-writes.js'
import type { Registration } from '../intake/registration.js'

export interface AnewParts {
  readonly store: ExchangeStore
  readonly registration: Pick<Registration, 'changeBank' | 'settled'>
  readonly now: () => number
}

/** The state to go on from: what was kept, or the beginning when it is too old. A reading that was begun anew is gone on with. */
export async function anewIfTooOld(
  { store, now }: AnewParts,
  { name, feed }: Pick<Exchange, 'name' | 'feed'>,
  kept: ExchangeState,
): Promise<ExchangeState> {
  const readAtMs = kept.repeatSinceMs ?? kept.progress.caughtUpAtMs ?? kept.progress.updatedAtMs
  if (feed.tellsOfGoneForMs === undefined || now() - readAtMs < feed.tellsOfGoneForMs) return kept
  await store.forgetNamed(name)
  return { ...kept, place: feed.start, repeatSinceMs: now() }
}

/**
 * To be called when everything was read anew. Killed at any point, the next pull comes here again: the names are forgotten last, and
 * only once nothing asks for them.
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
