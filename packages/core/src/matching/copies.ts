// Which matches show nearly the whole registered picture.

import { type RowType, SIGNAL_TYPES } from './signal-types.js'

/** The upper end of a distance band. So the distance at which a narrowed signal stops matching reveals no more than the reported band. */
export const COPY_BITS = 15

/**
 * @returns whether the match shows nearly the whole registered picture, not only a part of it or something similar. A narrowed signal still matches
 *   copies. So an attacker who gets a true signal narrowed can hide edited copies, but never the picture itself.
 */
export function isCopy(found: { readonly signalType: RowType; readonly distanceBits: number }): boolean {
  const { signalType, distanceBits } = found
  return signalType !== 'detail' && SIGNAL_TYPES[signalType].identifies && distanceBits <= COPY_BITS
}
