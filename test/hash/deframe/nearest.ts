import { distance } from '../../../packages/hash/src/hash256.js'
import { type ImageHasher, loadImageHasherSync } from '../../../packages/hash/src/image-hasher.js'
import type { Pixels } from '../../../packages/hash/src/pixels.js'
import type { Purpose } from '../../../packages/hash/src/views.js'

export const hasher: ImageHasher = loadImageHasherSync()

type Counts = (view: string, purpose: Purpose) => boolean

/** @returns the signals of parts; with `counts`, those of the views that count. */
export function areas(pixels: Pixels, purpose: Purpose, counts: Counts = () => true) {
  return hasher.hash(pixels, purpose).signals.filter(({ type, view }) => type === 'pdq-area' && counts(view, purpose))
}

/** @returns the distance of the nearest part of a query to a part of a registered picture, in any orientation that is asked; 256 if there is none. */
export function nearest(asked: Pixels, registered: Pixels, counts?: Counts): number {
  const rows = areas(registered, 'register', counts)
  const bits = areas(asked, 'query', counts).flatMap(({ hashes }) =>
    rows.flatMap(({ hashes: [row] }) => hashes.map((hash) => (row === undefined ? 256 : distance(hash, row)))),
  )
  return Math.min(256, ...bits)
}

/** Expects parts of two pictures to be within `bits`, whichever of them is registered. */
export function findEachOther(
  t: { ok(isTrue: boolean, message: string): unknown },
  one: Pixels,
  other: Pixels,
  bits: number,
  name: string,
): void {
  t.ok(nearest(one, other) <= bits, `${name}: ${nearest(one, other)}`)
  t.ok(nearest(other, one) <= bits, `${name}, the other direction: ${nearest(other, one)}`)
}
