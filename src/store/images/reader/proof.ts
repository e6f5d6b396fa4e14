// Before an opener is trusted with what is stored, it is shown what node:crypto sealed, and the same with each byte changed.

import { randomBytes } from 'node:crypto'
import { makeKeyring, SealError, type SealKey } from '../../sealing/seal.js'
import { imageContext } from '../image-record.js'
import type { Opener } from './opener-type.js'

/**
 * @param openerFor makes what is to be proven, for other keys than those it will work with.
 * @throws {Error} when it does not open what node:crypto sealed, or opens what was changed.
 *
 * Cost: 280 batches of three records, about 10 ms.
 */
export function proveOpener(openerFor: (keys: readonly SealKey[]) => Opener): void {
  const keyring = makeKeyring([randomBytes(32)])
  const opener = openerFor(keyring.keys)
  const records = PLAIN_BYTES.map((length) => sealedRecord(keyring, length))
  const laid = Buffer.concat(records.map(({ id, sealed }) => Buffer.concat([id, sealed])))
  const plain = Buffer.concat(records.map(({ id, plain }) => Buffer.concat([id, plain])))

  /** What the opener tells, id by id with its record, when the byte at `changedAt` is not as it was. */
  function told(changedAt?: number): Buffer {
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
      // What it told before it refused was told.
      if (parts.length === 0) throw error
    }
    return Buffer.concat(parts)
  }

  if (!told().equals(plain)) throw new Error('what node:crypto sealed opens to something else')
  for (let at = 0; at < laid.length; at++) {
    if (!isRefusal(() => told(at))) throw new Error('what was changed after node:crypto sealed it opens')
  }
}

const ID_BYTES = 16
/** None, whole blocks of the cipher, and blocks with a part of one behind. */
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
