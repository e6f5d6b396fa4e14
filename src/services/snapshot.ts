// A catalogue in a file, so that a process that starts again needs to read only what changed since. Sealed, as the store is.

import { createHmac } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { serialize } from 'node:v8'
import { KERNEL_NAME } from '../search/engine.js'
import { changeAt } from '../store/changes.js'
import { type Keyring, SealError } from '../store/seal.js'
import { readSealedFile, writeSealedFile } from '../store/sealed-file.js'
import type { Store } from '../store/store.js'
import { Catalogue } from './catalogue.js'
import { type CataloguePiece, DamagedDump, readPiece } from './catalogue-dump.js'
import { paceMaker } from './pace.js'

export interface Snapshot {
  readonly catalogue: Catalogue
  readonly revision: number
}

export interface Snapshots {
  /**
   * Writes what a catalogue holds, which is at least everything up to `revision`; what comes later will come again with the
   * change stream. Gives way to others after each megabyte.
   */
  save(catalogue: Catalogue, revision: number): Promise<void>
  /**
   * @returns `undefined` when there is no snapshot that the change stream can take further: none, a damaged one, one of another
   * version, of another deployment, or of a past that the store does not remember or has lost.
   */
  load(): Promise<Snapshot | undefined>
}

export interface SnapshotParts {
  readonly folder: string
  readonly store: Store
  readonly keyring: Keyring
  /** Known to this deployment alone; a snapshot of another one does not open. */
  readonly secret: Buffer
  /** A clock that never goes back, in milliseconds. */
  readonly clock: () => number
}

const TURN_MS = 5

export function snapshotsIn({ folder, store, keyring, secret, clock }: SnapshotParts): Snapshots {
  const path = join(folder, 'index.snapshot')
  const context = createHmac('sha256', secret).update(`snapshot 4 of ${KERNEL_NAME}`).digest()

  return {
    async save(catalogue, revision) {
      // A sparse one is read anew at the next start, so that years of coming and going do not add up.
      if (catalogue.isSparse) return rm(path, { force: true })
      const change = await changeAt(store, revision)
      if (change === undefined) return // forgotten already: nobody could tell that the snapshot belongs to this past
      await writeSealedFile(path, keyring, context, pieces({ kind: 'revision', revision, change }, catalogue))
    },

    async load() {
      const read = readSealedFile(path, keyring, context)
      try {
        const first = await read.next()
        if (first.done === true) return undefined
        const head = readPiece(first.value)
        if (head.kind !== 'revision') throw new SealError('a snapshot begins with its revision')
        const change = await changeAt(store, head.revision)
        if (change?.equals(head.change) !== true) return undefined
        const catalogue = new Catalogue()
        const giveWay = paceMaker(TURN_MS, clock)
        for await (const piece of read) for (const _ of catalogue.restore(readPiece(piece))) await giveWay()
        if (!catalogue.isRestored) throw new DamagedDump('a snapshot without its end')
        return { catalogue, revision: head.revision }
      } catch (error) {
        if (error instanceof SealError || error instanceof DamagedDump) return undefined
        throw error
      } finally {
        await read.return(undefined) // the file is closed, also when the store is asked in vain
      }
    },
  }
}

function* pieces(head: CataloguePiece, catalogue: Catalogue): Generator<Buffer, void, void> {
  yield serialize(head)
  for (const piece of catalogue.dump()) yield serialize(piece)
}
