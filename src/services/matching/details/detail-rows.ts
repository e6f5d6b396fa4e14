// Selects the details by which a registered picture can be found: those that few other pictures have.

import { DETAIL_BITS } from '../../../../packages/core/src/matching/signal-types.js'
import type { Hit } from '../../../../packages/core/src/search/hit.js'
import { type DetailRow, type DetailRows, MAX_DETAIL_ROWS } from '../../../../packages/hash/src/details/rows.js'
import type { Searcher } from '../../index/searcher.js'
import type { CommonRows } from './common-rows.js'

/** A row of this many unrelated pictures above the tier `self-reported` is decoration: a part of an app's screen, a sticker, a frame. */
const DECORATION_GROUPS = 3

/** Minimum share of rows that are not known decoration. If fewer are, the picture shows hardly anything else, so none of its rows is indexed. */
const MIN_OWN_SHARE = 0.5

/**
 * Selects up to 16 rows that are not decoration, best first. Decoration is a row of a fixed list (parts of app screens), or one that several
 * unrelated registered pictures have. Looking these up finds new decoration without a list. Rows that also occur in a sample of photographs come
 * last, because they find more false matches.
 *
 * A row that only one or two other pictures have is kept. Otherwise a submitter could learn whether these pictures are registered, by testing whether
 * that row finds the submitter's own picture.
 *
 * @param ranked with permuted descriptors, as stored, best first.
 * @param subjectGroup of the picture (`IndexedDetails`). Pictures of the same group do not count as unrelated.
 * @returns no rows if most rows are known decoration.
 * Yields about every millisecond. Cost: up to 48 searches.
 */
export function* chosenRows(
  { searcher, common }: { readonly searcher: Searcher; readonly common: CommonRows },
  ranked: DetailRows,
  subjectGroup: number,
): Generator<void, DetailRows, void> {
  const own = ranked.rows.filter(({ hash }) => !common.isDecoration(hash))
  if (own.length < MIN_OWN_SHARE * ranked.rows.length) return { ...ranked, rows: [] }
  const [rare, frequent]: [DetailRow[], DetailRow[]] = [[], []]
  for (const row of own) {
    const hits = yield* searcher.search('detail', [row.hash], DETAIL_BITS)
    if (isDecorationOf(searcher, hits, subjectGroup)) continue
    const group = common.isInBackground(row.hash) ? frequent : rare
    group.push(row)
  }
  return { ...ranked, rows: [...rare, ...frequent].slice(0, MAX_DETAIL_ROWS) }
}

/**
 * @returns whether a detail occurs in so many unrelated pictures that it is decoration. Only pictures above the tier `self-reported` count. Otherwise
 *   anybody could register two pictures with the details of a third one and find out from these whether the third is registered. Or anybody could
 *   register three pictures with its details, so that it is no longer found.
 * @param hits of the detail.
 * @param except a subject group that does not count.
 */
export function isDecorationOf(searcher: Searcher, hits: readonly Hit[], except?: number): boolean {
  const subjectGroups = new Set<number>()
  for (const { image } of hits) {
    const tier = searcher.factsOf(image)?.tier
    if (tier === undefined || tier === 'self-reported') continue
    const subjectGroup = searcher.places.subjectGroupOf(image)
    if (subjectGroup === except) continue
    subjectGroups.add(subjectGroup)
    if (subjectGroups.size >= DECORATION_GROUPS) return true
  }
  return false
}
