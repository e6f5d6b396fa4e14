// Which signals of a bank changes are about, and which of them changed nothing.

import type { RegisteredImage, Signal } from '../../domain/matching/signal.js'
import type { Bank } from '../../domain/organisations/bank.js'
import type { BankChange, NewSignal } from '../../domain/organisations/bank-change.js'
import type { Images } from '../../store/images/images.js'
import { bankedIdOf } from '../index/image-ids.js'

/**
 * The id of what each change is about. The one that its line names, where the bank has it: a reference that was changed since, as HMA's notes
 * are, changes no id. Otherwise, as in another deployment, the one that follows from what it is made of.
 * @param secret keys the ids.
 */
export async function idsOfChanges(
  { images, secret }: { readonly images: Pick<Images, 'get'>; readonly secret: Buffer },
  { name }: Pick<Bank, 'name'>,
  changes: readonly BankChange[],
): Promise<string[]> {
  const named = [...new Set(changes.flatMap((change) => (change.kind === 'remove-id' ? [] : (change.signalId ?? []))))]
  const found = named.length === 0 ? [] : await images.get(named)
  const own = new Map(named.flatMap((id, i) => (found[i]?.bank === name ? [[id, found[i]]] : [])))
  return changes.map((change) => {
    if (change.kind === 'remove-id') return change.signalId
    const stored = change.signalId === undefined ? undefined : own.get(change.signalId)
    const isMeant = stored !== undefined && (change.kind === 'remove' || hasWhole(stored, change.signal.signal))
    return isMeant && change.signalId !== undefined ? change.signalId : bankedIdOf(secret, name, change.signal)
  })
}

/** By which a picture is known to be one that was judged false: PDQ of the whole, where there is one. */
export function itselfIn({ signal, picture }: NewSignal): readonly Signal[] {
  if (picture === undefined || signal.type === 'pdq') return [signal]
  return picture.filter(({ view }) => view === 'whole')
}

/** The places of removals that removed nothing, and did not undo what came before them among these changes either. */
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

/** An edited file may name one signal and bring another: then that is a signal of its own. */
function hasWhole({ signals }: RegisteredImage, { type, hash }: Pick<Signal, 'type' | 'hash'>): boolean {
  return signals.some((each) => each.view === 'whole' && each.type === type && Buffer.compare(each.hash, hash) === 0)
}
