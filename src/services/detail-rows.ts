// Which details of a picture that is to be registered are searched for: those that few other pictures have.

import { DETAIL_BITS } from '../domain/signal-types.js'
import { type DetailRow, type DetailRows, MAX_DETAIL_ROWS } from '../hash/details/rows.js'
import type { Catalogue } from './catalogue.js'

/** A row that so many unrelated pictures have is decoration: chrome of an app, a sticker, a frame. */
export const DECORATION_KINS = 3

/**
 * The best 16 of the ranked rows, without those that are decoration by now: the registry is its own stop-list, and knows what has come and
 * what has gone.
 *
 * @param ranked as the registry has them, veiled.
 * @param kin of the picture; others of the same kin show the same.
 * Pauses about every millisecond. Cost: 16 to 48 searches.
 */
export function* chosenRows(catalogue: Catalogue, ranked: DetailRows, kin: number): Generator<void, DetailRows, void> {
  const rows: DetailRow[] = []
  for (const row of ranked.rows) {
    if (rows.length === MAX_DETAIL_ROWS) break
    const hits = yield* catalogue.index('detail').search([row.hash], DETAIL_BITS)
    const others = new Set(hits.map(({ image }) => catalogue.places.kinOf(image)).filter((other) => other !== kin))
    if (others.size < DECORATION_KINS) rows.push(row)
  }
  return { ...ranked, rows }
}
