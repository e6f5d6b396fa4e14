// Loads a complete catalogue, from a snapshot or from the store.

import { Problem } from '../../domain/problem.js'
import { lastPosition, type Position } from '../../store/images/changes.js'
import type { ImageReader } from '../../store/images/reader/image-reader.js'
import { yielder } from '../load/yielding.js'
import type { Applying, ApplyingParts } from './applying.js'
import { Catalogue } from './catalogue.js'
import type { Snapshots } from './snapshot.js'

export interface LoadingParts extends ApplyingParts {
  readonly reader: ImageReader
  readonly snapshots: Snapshots | undefined
  readonly now: () => number
  /** [ms] the time of day. */
  readonly timeOfDay?: () => number
}

export interface Loaded {
  readonly catalogue: Catalogue
  /** The catalogue has every change up to here. */
  readonly position: Position
  /** The catalogue may have later changes, but none after this position. Follow only a history that contains this position. */
  readonly until: Position
  readonly isFromSnapshot: boolean
}

const RETRY_AFTER_S = 2
/** How long filling the indexes may block the event loop at once. */
const SLICE_MS = 5

/**
 * Loads the catalogue, its trust statuses, banks and API keys. @throws {Problem} store-unavailable, also if the connection broke meanwhile: the data
 * may come from two servers.
 */
export async function load(parts: LoadingParts, applying: Pick<Applying, 'setTrustStatuses'>): Promise<Loaded> {
  const { snapshots, store, trusts, banks, apiKeys, now } = parts
  const { connections } = store
  const snapshot = await snapshots?.load()
  // Read the position first: the stream repeats changes made during the load, and applying them twice is harmless. At revision 0 skip the read,
  // because starting the reader thread would take most of the start.
  const position = snapshot?.position ?? (await lastPosition(store))
  const catalogue = snapshot?.catalogue ?? (position.revision === 0 ? new Catalogue(parts.timeOfDay) : await readAll(parts))
  for await (const trustStatuses of trusts.allTrustStatuses()) await applying.setTrustStatuses(catalogue, trustStatuses)
  for (const bank of await banks.all()) catalogue.banks.set(bank.name, bank)
  for (const key of await apiKeys.all()) catalogue.apiKeys.set(key.keyId, key)
  const until = await lastPosition(store)
  if (store.connections !== connections) throw new Problem('store-unavailable', { retryAfterS: RETRY_AFTER_S })
  const yieldIfNeeded = yielder(SLICE_MS, now)
  while (catalogue.tidy()) await yieldIfNeeded()
  return { catalogue, position, until, isFromSnapshot: snapshot !== undefined }
}

async function readAll({ reader, timeOfDay }: Pick<LoadingParts, 'reader' | 'timeOfDay'>): Promise<Catalogue> {
  const catalogue = new Catalogue(timeOfDay)
  for await (const columns of reader.columns()) catalogue.load(columns)
  return catalogue
}
