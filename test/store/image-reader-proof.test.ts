import t from 'tap'
import { makeOpener } from '../../src/store/images/reader/opener.js'
import type { Opener } from '../../src/store/images/reader/opener-type.js'
import { proveOpener } from '../../src/store/images/reader/proof.js'
import { SEALED, SealError } from '../../src/store/sealing/seal.js'

t.test('a correct opener passes the proof', async () => {
  proveOpener(makeOpener)
})

t.test('an opener that drops, reorders or wrongly opens records fails the proof', async (t) => {
  t.throws(() => proveOpener((keys) => telling(makeOpener(keys), (told) => told.slice(1))), /something else/)
  t.throws(() => proveOpener((keys) => telling(makeOpener(keys), (told) => [...told].reverse())), /something else/)
  t.throws(() => proveOpener((keys) => makeOpener(keys.map(({ hint }) => ({ hint, key: new Uint8Array(32) })))), refusal)
})

t.test('an opener that ignores a part of the record, tag, nonce or id fails the proof', async (t) => {
  // They restore the byte before the real opener reads it, as if they ignored it.
  for (const [what, place] of Object.entries({
    version: () => 0,
    hint: () => SEALED.hintAt,
    nonce: () => SEALED.nonceAt + 11,
    'end of the ciphertext': (length: number) => length - SEALED.tagBytes - 1,
    'first byte of the tag': (length: number) => length - SEALED.tagBytes,
    'last byte of the tag': (length: number) => length - 1,
    id: () => -1,
  })) {
    t.throws(() => proveOpener((keys) => mending(makeOpener(keys), place)), /was changed/, what)
  }
})

t.test('an opener that reports records before it refuses fails the proof', async (t) => {
  const hasty = (opener: Opener): Opener => ({
    ...opener,
    add: (idAt, from, to) => opener.add(idAt, from, to),
    open(listener) {
      try {
        opener.open(listener)
      } catch (error) {
        listener(0, 0, 1)
        throw error
      }
    },
  })
  t.throws(() => proveOpener((keys) => hasty(makeOpener(keys))), /was changed/)
})

t.test('an error other than a refusal is passed on by the proof', async (t) => {
  let calls = 0
  const breaking = (opener: Opener): Opener => ({
    ...opener,
    open(listener) {
      if (++calls === 5) throw new TypeError('broken')
      opener.open(listener)
    },
  })
  t.throws(() => proveOpener((keys) => breaking(makeOpener(keys))), TypeError)
})

const refusal = SealError

type Told = readonly (readonly [number, number, number])[]

function telling(opener: Opener, change: (told: Told) => Told): Opener {
  return {
    ...opener,
    open(listener) {
      const told: [number, number, number][] = []
      opener.open((...place) => told.push(place))
      for (const place of change(told)) listener(...place)
    },
  }
}

/** @param place of a byte within a record. */
function mending(opener: Opener, place: (recordBytes: number) => number): Opener {
  const asItWas = new Map<number, number>()
  return {
    ...opener,
    add(idAt, from, to) {
      const at = from + place(to - from)
      const byte = asItWas.get(at) ?? opener.bytes[at] ?? 0
      asItWas.set(at, byte)
      opener.bytes[at] = byte
      opener.add(idAt, from, to)
    },
  }
}
