// Reads watches from the store into a catalogue: all of them at a start, then those that changed.

import { inChunks } from '../../domain/in-chunks.js'
import type { Followed } from '../../store/images/changes.js'
import type { ImageOp } from '../../store/scripts/change-ops.js'
import type { Watches } from '../../store/watch/watches.js'
import { Catalogue } from '../index/catalogue.js'
import { forEachDue, isTransient } from '../load/each-due.js'
import { yielder } from '../load/yielding.js'

export interface WatchLoadingParts {
  readonly watches: Pick<Watches, 'all' | 'get'>
  /** [ms] never goes back. */
  readonly clock: () => number
  /** Called for a watch that cannot be read. The catalogue keeps what it had of it, if anything. */
  readonly onError: (error: unknown) => void
}

/** Changes that end watches. After any other change the watch is read again. */
const ENDS_WATCHES: Readonly<Record<ImageOp, boolean>> = { image: false, trustStatus: false, tombstone: true }
const SLICE_MS = 1
const WATCHES_AT_ONCE = 200

export async function loadWatches({ watches, clock, onError }: WatchLoadingParts): Promise<Catalogue> {
  const catalogue = new Catalogue()
  for await (const found of watches.all())
    for (const { id, image } of found) {
      // The process that wrote the watch may have a seal key that this one lacks. The other watches are compared all the same.
      if (image !== undefined) catalogue.put(id, image)
      else onError(new Error('a watch cannot be read and is compared with nothing'))
    }
  await tidyAll(catalogue, clock)
  return catalogue
}

async function tidyAll(catalogue: Catalogue, clock: () => number): Promise<void> {
  const yieldIfNeeded = yielder(SLICE_MS, clock)
  while (catalogue.tidy()) await yieldIfNeeded()
}

/** Applies changes of the watch stream, in order. Applying them twice does no harm. */
export async function applyWatchChanges(
  parts: WatchLoadingParts,
  catalogue: Catalogue,
  { changes }: Followed & { kind: 'changes' },
): Promise<void> {
  if (changes.length === 0) catalogue.tidy()
  for (const change of changes) {
    if (!('imageIds' in change)) continue
    if (ENDS_WATCHES[change.op]) {
      for (const id of change.imageIds) catalogue.remove(id)
      continue
    }
    for (const ids of inChunks(change.imageIds, WATCHES_AT_ONCE)) await reload(parts, catalogue, ids)
  }
}

async function reload({ watches, onError }: WatchLoadingParts, catalogue: Catalogue, ids: readonly string[]): Promise<void> {
  // All in one round trip; one by one only when one of them cannot be read.
  const found = await watches.get(ids).catch((error: unknown) => {
    if (isTransient(error)) throw error
    return undefined
  })
  await forEachDue({
    what: 'watches to compare with',
    take: [...ids.keys()],
    async handle(i) {
      const id = ids[i] ?? ''
      const image = found === undefined ? (await watches.get([id]))[0] : found[i]
      if (image === undefined) catalogue.remove(id)
      else catalogue.put(id, image)
    },
    onError,
    isNotAboutTheEntry: isTransient,
  })
}
