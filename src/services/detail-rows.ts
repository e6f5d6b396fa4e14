// Which details of a picture that is to be registered are searched for: those that few other pictures have.

import { DETAIL_BITS } from '../domain/signal-types.js'
import { type DetailRow, type DetailRows, MAX_DETAIL_ROWS } from '../hash/details/rows.js'
import type { CommonRows } from './common-rows.js'
import type { Searcher } from './searcher.js'

/** A row that so many unrelated pictures have is decoration: chrome of an app, a sticker, a frame. */
export const DECORATION_KINS = 3

/** A picture of whose rows fewer than this share are its own is nothing but decoration. */
const LEAST_OWN_SHARE = 0.5

/**
 * The best 16 of the ranked rows, without those that are decoration: because what apps draw is known, or because they are in unrelated
 * pictures by now. The registry is its own stop-list, and knows what has come and what has gone. Rows that no other picture has go first:
 * they find less that is wrong.
 *
 * @param ranked as the registry has them, veiled.
 * @param kin of the picture; others of the same kin show the same.
 * @returns no rows for a picture that is nothing but decoration.
 * Pauses about every millisecond. Cost: up to 48 searches.
 */
export function* chosenRows(
  { searcher, common }: { readonly searcher: Searcher; readonly common: CommonRows },
  ranked: DetailRows,
  kin: number,
): Generator<void, DetailRows, void> {
  const own = ranked.rows.filter(({ hash }) => !common.isDecoration(hash))
  if (own.length < LEAST_OWN_SHARE * ranked.rows.length) return { ...ranked, rows: [] }
  const byOthers: DetailRow[][] = Array.from({ length: DECORATION_KINS + 1 }, () => [])
  for (const row of own) {
    const hits = yield* searcher.search('detail', [row.hash], DETAIL_BITS)
    const others = new Set(hits.map(({ image }) => searcher.places.kinOf(image)).filter((other) => other !== kin)).size
    if (others < DECORATION_KINS) byOthers[others + (common.isInBackground(row.hash) ? 1 : 0)]?.push(row)
  }
  return { ...ranked, rows: byOthers.flat().slice(0, MAX_DETAIL_ROWS) }
}
