// Selects the details by which a registered picture is found: those that few other pictures have.

import { type DetailRow, type DetailRows, MAX_DETAIL_ROWS } from '../../../packages/hash/src/details/rows.js'
import { DETAIL_BITS } from '../../domain/matching/signal-types.js'
import type { Hit } from '../../search/hit.js'
import type { Searcher } from '../index/searcher.js'
import type { CommonRows } from './common-rows.js'

/** A row in this many unrelated, vouched-for pictures is decoration: app chrome, a sticker, a frame. */
const DECORATION_GROUPS = 3

/** A picture with a smaller share of rows that are not decoration is nothing but decoration. */
const MIN_OWN_SHARE = 0.5

/**
 * The best 16 ranked rows that are not decoration. Decoration is known app chrome, or a row that several unrelated pictures in
 * the registry have; the registry serves as its own stop list, so the list stays current. Rows that also occur in a sample of
 * photographs come last, because they find more false matches.
 *
 * A row that only one or two others have is not left out: a submitter could otherwise learn about their pictures from whether
 * its own is found.
 *
 * @param ranked permuted, as stored.
 * @param subjectGroup of the picture. Pictures of the same group do not count as unrelated.
 * @returns no rows for a picture that is nothing but decoration.
 * Pauses about every millisecond. Cost: up to 48 searches.
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
 * Does this detail occur in so many unrelated pictures that it is decoration? Only pictures above the tier `self-reported`
 * count. Otherwise anybody could register two pictures with the details of a third one and see from its own cases whether that
 * one is registered; or register three and make it impossible to find.
 *
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
