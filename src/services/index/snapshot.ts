// Stores a catalogue in a sealed file, so that a restarted process reads only what changed since.

import { createHmac } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { serialize } from 'node:v8'
import { KERNEL_NAME } from '../../../packages/core/src/search/engine.js'
import { isInHistory, type Position } from '../../store/images/changes.js'
import type { Store } from '../../store/redis/client.js'
import { type Keyring, SealError } from '../../store/sealing/seal.js'
import { readSealedFile, writeSealedFile } from '../../store/sealing/sealed-file.js'
import { yielder } from '../load/yielding.js'
import { Catalogue } from './catalogue.js'
import { DamagedDump, readPiece } from './catalogue-dump.js'

export interface Snapshot {
  readonly catalogue: Catalogue
  /** The catalogue has every change up to here. */
  readonly position: Position
}

export interface Snapshots {
  /**
   * Writes the catalogue, which has at least every change up to `position`; the change stream repeats later changes. Yields after each megabyte.
   * @param until called at the end. Returns a position after which the catalogue has no change; `undefined` if its history was not that of the store:
   *   then the last snapshot stays.
   */
  save(catalogue: Catalogue, position: Position, until?: () => Position | undefined): Promise<void>
  /**
   * Loads the snapshot.
   * @returns `undefined` if none is usable: missing, damaged, of another version or deployment, or at a position that the store has lost or no longer
   *   remembers. Then it is not tried again.
   * @throws {Problem} store-unavailable
   */
  load(): Promise<Snapshot | undefined>
  /** Marks the snapshot as unusable. */
  discard(): void
}

export interface SnapshotParts {
  readonly folder: string
  readonly store: Store
  readonly keyring: Keyring
  /** A secret of this deployment. A snapshot of another deployment cannot be opened. */
  readonly secret: Buffer
  /** [ms] a monotonic clock. */
  readonly clock: () => number
  /** [ms] the time of day. */
  readonly timeOfDay?: () => number
  /** Called with the reason when a snapshot is not used. */
  readonly onError?: (error: unknown) => void
}

const SLICE_MS = 5

export function createSnapshots({
  folder,
  store,
  keyring,
  secret,
  clock,
  timeOfDay,
  onError = () => {},
}: SnapshotParts): Snapshots {
  const path = join(folder, 'index.snapshot')
  const context = createHmac('sha256', secret).update(`snapshot 7 of ${KERNEL_NAME}`).digest()
  let isUnusable = false

  /** @throws the error of `has`; {Error} if the snapshot is unusable. */
  async function read(
    pieces: AsyncGenerator<Buffer>,
    has: (position: Position) => Promise<boolean>,
  ): Promise<Snapshot | undefined> {
    const first = await pieces.next()
    if (first.done === true) return undefined
    const head = readPiece(first.value)
    if (head.kind !== 'position') throw new SealError('a snapshot begins with its position')
    if (!(await has(head))) throw new UselessSnapshot()
    const catalogue = new Catalogue(timeOfDay)
    const yieldIfNeeded = yielder(SLICE_MS, clock)
    let until: Position | undefined
    for await (const bytes of pieces) {
      const piece = readPiece(bytes)
      if (piece.kind === 'position') until = piece
      else for (const _ of catalogue.restore(piece)) await yieldIfNeeded()
    }
    if (!catalogue.isRestored) throw new DamagedDump('a snapshot without its end')
    if (until === undefined || !(await has(until))) throw new UselessSnapshot()
    return { catalogue, position: { revision: head.revision, digest: head.digest } }
  }

  return {
    async save(catalogue, position, until = () => position) {
      // A sparse catalogue is read from the store at the next start, so that ordinals of removed images do not accumulate.
      if (catalogue.isSparse) return rm(path, { force: true })
      if (!(await isInHistory(store, position))) return // forgotten or lost: a load could not check the history
      try {
        await writeSealedFile(path, keyring, context, pieces(position, catalogue, until))
        isUnusable = false
      } catch (error) {
        if (!(error instanceof UselessSnapshot)) throw error
      }
    },

    async load() {
      if (isUnusable) return undefined
      const pieces = readSealedFile(path, keyring, context)
      let isStoreUnavailable = false
      const has = (position: Position) =>
        isInHistory(store, position).catch((error: unknown) => {
          isStoreUnavailable = true
          throw error
        })
      try {
        return await read(pieces, has)
      } catch (error) {
        if (isStoreUnavailable) throw error
        isUnusable = true
        onError(new Error('The snapshot of the index is not used, and everything is read from Redis.', { cause: error }))
        return undefined
      } finally {
        await pieces.return(undefined) // close the file, also when the store is unavailable
      }
    },

    discard() {
      isUnusable = true
    },
  }
}

class UselessSnapshot extends Error {
  override readonly name = 'UselessSnapshot'
  constructor() {
    super('It is not of the history that the store has, or the stream of changes does not reach back to it.')
  }
}

function* pieces(
  position: Position,
  catalogue: Catalogue,
  until: () => Position | undefined,
): Generator<Buffer, void, void> {
  yield serialize({ kind: 'position', ...position })
  for (const piece of catalogue.dump()) yield serialize(piece)
  const end = until()
  if (end === undefined) throw new UselessSnapshot()
  yield serialize({ kind: 'position', ...end })
}
