// Which signals of an image a follower of the feed gets. The parts of a picture together show much of it, so only keys with the scope
// `feed:all-views` get all of them.

import { MAX_THIN } from '../../../hash/src/views.js'
import type { Signal, View } from './signal.js'

/** Maximum parts of a picture besides the whole. */
export const MAX_FEED_PARTS = 8

/**
 * Of each kind, how many parts of a picture come first. By them a follower finds 91.9 % of 1,190 edits of 17 photographs; by all parts 96.4 %, by the
 * first eight of the registration 85.7 %, by the whole alone 80.7 %.
 */
const FIRST_PARTS = { deframed: 1, tilted: 2, piece: 1, crop: 4 } as const satisfies Record<Exclude<View, 'whole'>, number>

/**
 * @returns of a picture the whole, hashes of the file, and at most `MAX_FEED_PARTS` parts; of each frame the whole and the parts of a thin frame. In the
 *   given order. The choice depends on the signals alone: if it changed, a follower would collect all parts over time.
 */
export function feedSignalsOf(signals: readonly Signal[]): readonly Signal[] {
  const parts = signals.filter(({ view, frame }) => view !== 'whole' && frame === undefined)
  const of = (kind: View) => parts.filter(({ view }) => view === kind)
  const first = [
    ...of('deframed').slice(0, FIRST_PARTS.deframed),
    ...of('tilted').slice(-FIRST_PARTS.tilted), // the last are tilted most
    ...of('piece').slice(0, FIRST_PARTS.piece),
    ...spread(of('crop'), FIRST_PARTS.crop), // neighbours are much alike
  ]
  const chosen = new Set([...new Set([...first, ...parts])].slice(0, MAX_FEED_PARTS))
  const thinned = new Map<string, number>()
  return signals.filter((signal) => {
    const { view, frame } = signal
    if (view === 'whole') return true
    if (frame === undefined) return chosen.has(signal)
    const before = thinned.get(`${frame} ${view}`) ?? 0
    thinned.set(`${frame} ${view}`, before + 1)
    return (view === 'deframed' || view === 'crop') && before < MAX_THIN[view]
  })
}

/** @returns `count` of the items, at equal intervals from the first. */
function spread<Item>(items: readonly Item[], count: number): Item[] {
  if (items.length <= count) return [...items]
  return items.filter((_, i) => Math.floor((i * count) / items.length) !== Math.floor(((i - 1) * count) / items.length))
}
