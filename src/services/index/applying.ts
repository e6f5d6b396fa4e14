// Applies changes of the store to a catalogue.

import { setImmediate as nextTick } from 'node:timers/promises'
import type { RegisteredImage } from '../../../packages/core/src/matching/signal.js'
import { inChunks } from '../../domain/in-chunks.js'
import { Problem } from '../../domain/problem.js'
import type { TrustStatus } from '../../domain/trust/trust.js'
import { isInHistory, type Position } from '../../store/images/changes.js'
import type { Images } from '../../store/images/images.js'
import type { OwnWrites } from '../../store/images/read-your-writes.js'
import type { ApiKeys } from '../../store/organisations/api-keys.js'
import type { Banks } from '../../store/organisations/banks.js'
import type { Store } from '../../store/redis/client.js'
import type { Change, NamedChange, NamedOp } from '../../store/scripts/change-ops.js'
import type { Trusts } from '../../store/trust/trust.js'
import type { Catalogue } from './catalogue.js'

export interface ApplyingParts {
  readonly store: Store
  readonly images: Images
  /** Images that this process wrote, which need not be read back. When left out, every image is read. */
  readonly own?: Pick<OwnWrites, 'of' | 'followed' | 'forgetAll'>
  readonly trusts: Trusts
  readonly banks: Banks
  readonly apiKeys: ApiKeys
}

export interface Applying {
  /**
   * Applies changes, tombstones first: a withdrawal must not wait for the images before it. The order has no other effect: each change reads the
   * current state of the store, and a newer state has a change of its own that follows.
   * @param last the position of the last change. @throws {Problem} store-unavailable
   */
  apply(catalogue: Catalogue, changes: readonly Change[], last: Position): Promise<void>
  setTrustStatuses(
    catalogue: Catalogue,
    trustStatuses: readonly { readonly imageId: string; readonly trustStatus: TrustStatus }[],
  ): Promise<void>
}

/** Images applied between two yields. They take about 0.5 ms to unseal and add. */
export const IMAGES_AT_ONCE = 50
/** Rows applied between two yields. A video may have thousands; all of its rows are added in one step, about 5 µs each. */
const ROWS_AT_ONCE = 2_000
const RETRY_AFTER_S = 2
const NOTHING_OWN: ReadonlyMap<string, RegisteredImage> = new Map()

export function createChangeApplier({ store, images, own, trusts, banks, apiKeys }: ApplyingParts): Applying {
  /** Applies trust statuses. An image without one is skipped: the stream has a tombstone for it. */
  async function judge(catalogue: Catalogue, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    const trustStatuses = await trusts.trustStatuses(ids)
    await setTrustStatuses(
      catalogue,
      ids.flatMap((imageId, i) => {
        const trustStatus = trustStatuses[i]
        return trustStatus === undefined ? [] : [{ imageId, trustStatus }]
      }),
    )
  }

  async function setTrustStatuses(
    catalogue: Catalogue,
    trustStatuses: readonly { readonly imageId: string; readonly trustStatus: TrustStatus }[],
  ): Promise<void> {
    const missing = trustStatuses.filter(({ imageId, trustStatus }) => catalogue.setTrustStatus(imageId, trustStatus))
    if (missing.length === 0) return
    const left = missing.values()
    for await (const piece of images.inPieces(missing.map(({ imageId }) => imageId)))
      for (const image of piece) {
        const judged = left.next().value
        if (image === undefined || judged === undefined) continue
        catalogue.put(judged.imageId, image)
        catalogue.setTrustStatus(judged.imageId, judged.trustStatus)
      }
  }

  const applyNamed: Readonly<Record<NamedOp, (catalogue: Catalogue, name: string) => Promise<void>>> = {
    async bank(catalogue, name) {
      const bank = await banks.get(name)
      if (bank === undefined) catalogue.banks.delete(name)
      else catalogue.banks.set(name, bank)
    },
    async 'api-key'(catalogue, name) {
      const key = await apiKeys.get(name)
      if (key === undefined) catalogue.apiKeys.delete(name)
      else catalogue.apiKeys.set(name, key)
    },
  }

  /**
   * Checks that the store still has `last`. Reads use another connection than the change stream. After a failover it may lead to a server without
   * these changes.
   */
  async function check(last: Position): Promise<void> {
    if (!(await isInHistory(store, last))) throw new Problem('store-unavailable', { retryAfterS: RETRY_AFTER_S })
  }

  return {
    async apply(catalogue, changes, last) {
      const known = own?.of(changes) ?? NOTHING_OWN
      const { added, judged, named } = removeAndSort(catalogue, changes, known)
      for (const [id, image] of known) catalogue.put(id, image)
      if (added.length + judged.length + named.length === 0) return
      // Sent before the reads, so the store answers it first. If the connection breaks in between and leads to another server, the next check notices
      // it.
      const checked = check(last)
      checked.catch(() => {}) // awaited below
      for (const some of inChunks(added, IMAGES_AT_ONCE)) await readInto(catalogue, images, some)
      await judge(catalogue, judged)
      for (const { op, name } of named) await applyNamed[op](catalogue, name)
      await checked
    },
    setTrustStatuses,
  }
}

/** Adds images as they are in the store. Removes those that the store lacks. */
async function readInto(catalogue: Catalogue, images: Pick<Images, 'inPieces'>, ids: readonly string[]): Promise<void> {
  const left = ids.values()
  let rows = 0
  for await (const piece of images.inPieces(ids))
    for (const image of piece) {
      const id = left.next().value
      if (id === undefined) continue
      if (image === undefined) catalogue.remove(id)
      else catalogue.put(id, image)
      rows += image?.signals.length ?? 0
      if (rows < ROWS_AT_ONCE) continue
      rows = 0
      await nextTick()
    }
}

interface ToRead {
  /** Ids of images that were added or replaced. */
  readonly added: string[]
  /** Ids of images whose trust status changed. */
  readonly judged: string[]
  readonly named: NamedChange[]
}

/** Applies the tombstones. @returns what has to be read from the store for the other changes. */
function removeAndSort(
  catalogue: Catalogue,
  changes: readonly Change[],
  known: ReadonlyMap<string, RegisteredImage>,
): ToRead {
  const toRead: ToRead = { added: [], judged: [], named: [] }
  for (const change of changes) {
    switch (change.op) {
      case 'tombstone':
        for (const id of change.imageIds) catalogue.remove(id)
        break
      case 'image':
        toRead.added.push(...change.imageIds.filter((id) => !known.has(id)))
        break
      case 'trustStatus':
        toRead.judged.push(...change.imageIds)
        break
      case 'bank':
      case 'api-key':
        toRead.named.push(change)
        break
      case 'restored': // each restored item has a change of its own
        break
      default:
        change satisfies never
    }
  }
  return toRead
}
