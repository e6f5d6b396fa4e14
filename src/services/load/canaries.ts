// Canaries: signals that no picture has. A query that matches one shows that a hash list was passed on.

import { randomBytes } from 'node:crypto'
import { uuidV7 } from '../../../packages/core/src/ids.js'
import { HASH_BITS, HASH_BYTES, type Hash256, hashFromBytes } from '../../../packages/hash/src/hash256.js'
import { noteInAudit } from '../../store/audit/audit.js'
import { createImageStore } from '../../store/images/images.js'
import { createBankStore } from '../../store/organisations/banks.js'
import type { Store } from '../../store/redis/client.js'
import type { Keyring } from '../../store/sealing/seal.js'
import { createCanaryStore } from '../../store/trust/canaries.js'

/**
 * Registers a random hash in a bank, and records it in the audit log. Does not return the hash: only a copy of the list contains it.
 * @returns the id of the image; `undefined` if the bank does not exist.
 * @throws {Problem} store-unavailable
 */
export async function plantCanary(
  { store, keyring }: { readonly store: Store; readonly keyring: Keyring },
  bank: string,
  nowMs: number,
): Promise<string | undefined> {
  const into = await createBankStore(store).get(bank)
  if (into === undefined || into.removedAtMs !== undefined) return undefined
  const id = uuidV7(nowMs, randomBytes(10))
  const signals = [{ type: 'pdq', view: 'whole', quality: 100, hash: likeAPicture() }] as const
  const image = { bank, tier: 'ngo-attested', category: undefined, ref: undefined, createdAtMs: nowMs, signals } as const
  // Noted as a canary before it is registered, so that no match is missed in between.
  await createCanaryStore(store).add(id)
  await noteInAudit(store, { act: 'canary.planted', by: 'operator', about: { bank, signalId: id }, atMs: nowMs })
  const revision = await createImageStore(store, keyring).putInto(into, [{ id, image }])
  return revision === undefined ? undefined : id
}

/** A random hash with half of its bits set, as PDQ hashes have. Otherwise a thief could recognise canaries and omit them. */
function likeAPicture(): Hash256 {
  const bytes = new Uint8Array(HASH_BYTES)
  const random = randomBytes(4 * HASH_BITS)
  const bits = Array.from({ length: HASH_BITS }, (_, bit) => ({ bit, rank: random.readUInt32LE(4 * bit) }))
  bits.sort((a, b) => a.rank - b.rank)
  for (const { bit } of bits.slice(0, HASH_BITS / 2)) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7))
  return hashFromBytes(bytes)
}
