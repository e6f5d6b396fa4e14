// Finds the signals that changes of a bank refer to, and the changes that had no effect.

import type { Bank } from '../../../packages/core/src/matching/bank.js'
import type { RegisteredImage, Signal } from '../../../packages/core/src/matching/signal.js'
import type { BankChange } from '../../domain/organisations/bank-change.js'
import type { Images } from '../../store/images/images.js'
import { bankedIdOf } from '../index/image-ids.js'

/**
 * The ids of the changed signals, in order. A named id is kept if the bank has it; for a put, only with the same hash. So it survives an edited
 * reference, such as a note in HMA. Otherwise (in a file of another deployment) the id is derived from the signal. `remove-id` keeps its id.
 * @param secret keys the derived ids.
 * @throws {Problem} store-unavailable
 */
export async function idsOfChanges(
  { images, secret }: { readonly images: Pick<Images, 'inPieces'>; readonly secret: Buffer },
  { name }: Pick<Bank, 'name'>,
  changes: readonly BankChange[],
): Promise<string[]> {
  const named = [...new Set(changes.flatMap((change) => (change.kind === 'remove-id' ? [] : (change.signalId ?? []))))]
  const meant = new Set<BankChange>()
  let from = 0
  // In pieces: each may be a video with 10,000 hashes.
  for await (const piece of images.inPieces(named)) {
    const stored = new Map(piece.map((image, i) => [named[from + i], image]))
    from += piece.length
    for (const change of changes) {
      const image = stored.get(change.signalId)
      if (image?.bank !== name || change.kind === 'remove-id') continue
      if (change.kind === 'remove' || hasWhole(image, change.signal.signal)) meant.add(change)
    }
  }
  return changes.map((change) => {
    if (change.kind === 'remove-id') return change.signalId
    return change.signalId !== undefined && meant.has(change) ? change.signalId : bankedIdOf(secret, name, change.signal)
  })
}

/** The indexes of removals without effect: the signal was absent, and no accepted put of the same list added it. */
export function absentAmong(
  changes: readonly BankChange[],
  ids: readonly string[],
  { invalidatedAt, isGone }: { readonly invalidatedAt: ReadonlySet<number>; readonly isGone: (id: string) => boolean },
): ReadonlySet<number> {
  const put = new Set(ids.filter((_, at) => changes[at]?.kind === 'put' && !invalidatedAt.has(at)))
  return new Set(
    changes.flatMap(({ kind }, at) => {
      const id = ids[at]
      return kind === 'put' || id === undefined || put.has(id) || isGone(id) ? [] : [at]
    }),
  )
}

/** Whether the image has this hash as a whole view. If not, the file was edited: its id belongs to another hash, and the signal is new. */
function hasWhole({ signals }: RegisteredImage, { type, hash }: Pick<Signal, 'type' | 'hash'>): boolean {
  return signals.some((each) => each.view === 'whole' && each.type === type && Buffer.compare(each.hash, hash) === 0)
}
