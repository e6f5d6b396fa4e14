// Erases the images of removed banks. After a crash the next sweep continues.

import type { Bank } from '../../../packages/core/src/matching/bank.js'
import { inChunks } from '../../domain/in-chunks.js'
import type { Images } from '../../store/images/images.js'
import type { Banks } from '../../store/organisations/banks.js'
import type { Catalogue } from '../index/catalogue.js'
import { ID_PARTS } from '../index/ordinals-by-id.js'
import type { Replica } from '../index/replica.js'
import { forEachDue, isTransient } from '../load/each-due.js'

export interface BankErasing {
  /** Erases the images of removed banks, and deletes banks that are empty. Idempotent; sweeps of several processes may overlap. */
  sweep(): Promise<void>
  close(): Promise<void>
}

export interface BankErasingParts {
  readonly banks: Pick<Banks, 'forget'>
  readonly images: Pick<Images, 'erase' | 'facts'>
  readonly replica: Pick<Replica, 'isReady' | 'catalogue'>
  readonly now: () => number
  readonly onError: (error: unknown) => void
}

const SWEEP_INTERVAL_MS = 5000
/** After this time, this process knows all images that were added while the bank was removed. Until then the name cannot be used again. */
const GRACE_MS = 10_000
/** Number of images erased together: they share one wait for the disk. */
const ERASED_AT_ONCE = 200
const PARTS_AT_ONCE = 1024

export function createBankErasing({ banks, images, replica, now, onError }: BankErasingParts): BankErasing {
  let last: Promise<void> = Promise.resolve()
  const timer = setInterval(() => void sweep().catch(onError), SWEEP_INTERVAL_MS).unref()

  function sweep(): Promise<void> {
    const next = last.then(erase)
    last = next.catch(() => {})
    return next
  }

  async function erase(): Promise<void> {
    if (!replica.isReady) return
    const { catalogue } = replica
    await forEachDue({
      what: 'removed banks',
      take: [...catalogue.banks.values()].filter(({ removedAtMs }) => removedAtMs !== undefined),
      handle: (bank) => eraseBank(catalogue, bank),
      onError,
    })
  }

  async function eraseBank(catalogue: Catalogue, bank: Bank): Promise<void> {
    const { name, removedAtMs = 0 } = bank
    let found = 0
    for await (const ids of idsIn(catalogue, name)) {
      found += ids.length
      await forEachDue({
        what: 'images of a removed bank',
        take: ids,
        handle: (id) => images.erase(id, undefined, { bank }),
        onError,
        atOnce: ERASED_AT_ONCE,
      })
    }
    if (found > 0 || now() - removedAtMs <= GRACE_MS) return
    await banks.forget(bank)
  }

  async function* idsIn(catalogue: Catalogue, name: string): AsyncGenerator<readonly string[]> {
    for (let part = 0; part < ID_PARTS; part += PARTS_AT_ONCE) {
      yield catalogue.imagesInParts(part, part + PARTS_AT_ONCE).flatMap(({ id, bank }) => (bank === name ? [id] : []))
      await new Promise((resolve) => setImmediate(resolve))
    }
    for (const ids of inChunks(catalogue.silent, ERASED_AT_ONCE)) {
      const found = await Promise.all(ids.map(async (id) => ((await bankOf(id)) === name ? [id] : [])))
      yield found.flat()
    }
  }

  /** @returns `undefined` for an image that is absent or unreadable, because such an image must not stop the erasure of a bank. */
  async function bankOf(id: string): Promise<string | undefined> {
    try {
      return (await images.facts([id]))[0]?.bank
    } catch (error) {
      if (isTransient(error)) throw error
      onError(error)
      return undefined
    }
  }

  return {
    sweep,
    async close() {
      clearInterval(timer)
      await last
    },
  }
}
