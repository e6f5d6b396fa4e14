// Rows that somebody sends as hashes may be called what they are not. A whole has a wider reach than a part.

import { distance, type Hash256 } from '../../../hash/src/hash256.js'
import type { Signal } from './signal.js'

/**
 * Maximum distance of the two hashes of one whole: PDQ, and PDQ of areas. Of 1,134 photographs, edits and drawn pictures of tuning set a the farthest
 * are 48 apart. Unrelated hashes are at least 90 apart, so one PDQ lets at most two chosen rows through.
 */
const SAME_WHOLE_BITS = 60

/**
 * @param signals of a picture or video that was given as hashes.
 * @returns the same rows. A `pdq-area` that is called the whole, and is not near the PDQ of a whole of the same file or frame, becomes a crop. So no
 *   row is lost if somebody's device computes it in another way.
 */
export function withoutFalseWholes(signals: readonly Signal[]): Signal[] {
  const wholes = new Map<number | undefined, Hash256[]>()
  for (const { type, view, hash, frame } of signals) {
    if (type !== 'pdq' || view !== 'whole') continue
    const own = wholes.get(frame)
    if (own === undefined) wholes.set(frame, [hash])
    // A file may have several wholes, as an animation has; a frame has one.
    else if (frame === undefined) own.push(hash)
  }
  const isWhole = ({ hash, frame }: Signal) =>
    wholes.get(frame)?.some((whole) => distance(hash, whole) <= SAME_WHOLE_BITS) === true
  return signals.map((signal) =>
    signal.type === 'pdq-area' && signal.view === 'whole' && !isWhole(signal) ? { ...signal, view: 'crop' } : signal,
  )
}
