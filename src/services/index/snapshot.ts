// A catalogue in a file, so that a process that starts again needs to read only what changed since. Sealed, as the store is.

import { createHmac } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { serialize } from 'node:v8'
import { KERNEL_NAME } from '../../search/engine.js'
import { isInHistory, type Position } from '../../store/images/changes.js'
import type { Store } from '../../store/redis/client.js'
import { type Keyring, SealError } from '../../store/sealing/seal.js'
import { readSealedFile, writeSealedFile } from '../../store/sealing/sealed-file.js'
import { paceMaker } from '../load/yielding.js'
import { Catalogue } from './catalogue.js'
import { DamagedDump, readPiece } from './catalogue-dump.js'

export interface Snapshot {
  readonly catalogue: Catalogue
  /** Everything up to here is in it. */
  readonly position: Position
}

export interface Snapshots {
  /**
   * Writes what a catalogue holds, which is at least everything up to `position`; what comes later will come again with the
   * change stream. Gives way to others after each megabyte.
   * @param until asked at the end: nothing from behind it is in the catalogue. `undefined` when that turned out to be of another history than
   * the store's: then the last snapshot stays.
   */
  save(catalogue: Catalogue, position: Position, until?: () => Position | undefined): Promise<void>
  /**
   * @returns `undefined` when there is no snapshot that the change stream can take further: none, a damaged one, one of another
   * version, of another deployment, or of a past that the store does not remember or has lost. One that was of no use is not tried again.
   * @throws {Problem} store-unavailable
   */
  load(): Promise<Snapshot | undefined>
  /** What was loaded last turned out to be of no use. */
  discard(): void
}

export interface SnapshotParts {
  readonly folder: string
  readonly store: Store
  readonly keyring: Keyring
  /** Known to this deployment alone; a snapshot of another one does not open. */
  readonly secret: Buffer
  /** A clock that never goes back, in milliseconds. */
  readonly clock: () => number
  /** Told why a snapshot is not used. */
  readonly onError?: (error: unknown) => void
}

const SLICE_MS = 5

export function createSnapshots({ folder, store, keyring, secret, clock, onError = () => {} }: SnapshotParts): Snapshots {
  const path = join(folder, 'index.snapshot')
  const context = createHmac('sha256', secret).update(`snapshot 4 of ${KERNEL_NAME}`).digest()
  let isOfNoUse = false

  /** @throws what `has` throws, and {Error} when it is of no use. */
  async function read(
    pieces: AsyncGenerator<Buffer>,
    has: (position: Position) => Promise<boolean>,
  ): Promise<Snapshot | undefined> {
    const first = await pieces.next()
    if (first.done === true) return undefined
    const head = readPiece(first.value)
    if (head.kind !== 'position') throw new SealError('a snapshot begins with its position')
    if (!(await has(head))) throw new UselessSnapshot()
    const catalogue = new Catalogue()
    const yieldIfNeeded = paceMaker(SLICE_MS, clock)
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
      // A sparse one is read anew at the next start, so that years of coming and going do not add up.
      if (catalogue.isSparse) return rm(path, { force: true })
      if (!(await isInHistory(store, position))) return // forgotten or lost: nobody could tell that the snapshot belongs to this past
      try {
        await writeSealedFile(path, keyring, context, pieces(position, catalogue, until))
        isOfNoUse = false
      } catch (error) {
        if (!(error instanceof UselessSnapshot)) throw error
      }
    },

    async load() {
      if (isOfNoUse) return undefined
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
        isOfNoUse = true
        onError(new Error('The snapshot of the index is not used, and everything is read from Redis.', { cause: error }))
        return undefined
      } finally {
        await pieces.return(undefined) // the file is closed, also when the store is asked in vain
      }
    },

    discard() {
      isOfNoUse = true
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
