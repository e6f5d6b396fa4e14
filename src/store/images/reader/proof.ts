// Self-test of an opener before it reads the store: it must open what node:crypto sealed, and refuse it with any byte changed.

import { randomBytes } from 'node:crypto'
import { makeKeyring, SealError, type SealKey } from '../../sealing/seal.js'
import { imageContext } from '../image-record.js'
import type { Opener } from './opener-type.js'

/**
 * @param openerFor makes the opener to test, with random keys.
 * @throws {Error} when the opener does not open what node:crypto sealed, or opens changed bytes.
 *
 * Cost: 280 batches of three records, about 10 ms.
 */
export function proveOpener(openerFor: (keys: readonly SealKey[]) => Opener): void {
  const keyring = makeKeyring([randomBytes(32)])
  const opener = openerFor(keyring.keys)
  const records = PLAIN_BYTES.map((length) => sealedRecord(keyring, length))
  const laid = Buffer.concat(records.map(({ id, sealed }) => Buffer.concat([id, sealed])))
  const plain = Buffer.concat(records.map(({ id, plain }) => Buffer.concat([id, plain])))

  /** Ids and records that the opener reports, after flipping a bit of the byte at `changedAt`. */
  function reported(changedAt?: number): Buffer {
    const parts: Uint8Array[] = []
    opener.bytes.set(laid)
    if (changedAt !== undefined) opener.bytes[changedAt] = (opener.bytes[changedAt] ?? 0) ^ 1
    let at = 0
    for (const { sealed } of records) {
      opener.add(at, at + ID_BYTES, at + ID_BYTES + sealed.length)
      at += ID_BYTES + sealed.length
    }
    try {
      opener.open((idAt, from, to) => {
        parts.push(opener.bytes.slice(idAt, idAt + ID_BYTES), opener.bytes.slice(from, to))
      })
    } catch (error) {
      // Records that were reported before the refusal count: the opener must report all or none.
      if (parts.length === 0) throw error
    }
    return Buffer.concat(parts)
  }

  if (!reported().equals(plain)) throw new Error('what node:crypto sealed opens to something else')
  for (let at = 0; at < laid.length; at++) {
    if (!isRefusal(() => reported(at))) throw new Error('what was changed after node:crypto sealed it opens')
  }
}

const ID_BYTES = 16
/** Lengths of the test records: empty, whole cipher blocks, and whole blocks plus a partial one. */
const PLAIN_BYTES = [0, 64, 75]

function sealedRecord(keyring: ReturnType<typeof makeKeyring>, length: number) {
  const id = randomBytes(ID_BYTES)
  const plain = randomBytes(length)
  return { id, plain, sealed: keyring.seal(plain, imageContext(id)) }
}

function isRefusal(act: () => unknown): boolean {
  try {
    act()
    return false
  } catch (error) {
    if (error instanceof SealError) return true
    throw error
  }
}
