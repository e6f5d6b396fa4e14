// Which details of a picture that is to be registered are searched for: those that few other pictures have.

import { type DetailRow, type DetailRows, MAX_DETAIL_ROWS } from '../../../packages/hash/src/details/rows.js'
import { DETAIL_BITS } from '../../domain/matching/signal-types.js'
import type { Hit } from '../../search/hit.js'
import type { Searcher } from '../index/searcher.js'
import type { CommonRows } from './common-rows.js'

/** A row that so many unrelated pictures have, as far as somebody vouches for them, is decoration: chrome of an app, a sticker, a frame. */
const DECORATION_KINS = 3

/** A picture of whose rows fewer than this share are its own is nothing but decoration. */
const MIN_OWN_SHARE = 0.5

/**
 * The best 16 of the ranked rows, without those that are decoration: because what apps draw is known, or because they are in unrelated
 * pictures by now. The registry is its own stop-list, and knows what has come and what has gone. Rows that are also in a sample of
 * photographs go last: they find more that is wrong.
 *
 * What one or two others have does not change the choice: by whether his own picture is found, its owner would learn of theirs.
 *
 * @param ranked as the registry has them, veiled.
 * @param kin of the picture; others of the same kin show the same.
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
  const [rare, usual]: [DetailRow[], DetailRow[]] = [[], []]
  for (const row of own) {
    const hits = yield* searcher.search('detail', [row.hash], DETAIL_BITS)
    if (isDecorationOf(searcher, hits, subjectGroup)) continue
    const group = common.isInBackground(row.hash) ? usual : rare
    group.push(row)
  }
  return { ...ranked, rows: [...rare, ...usual].slice(0, MAX_DETAIL_ROWS) }
}

/**
 * Are these hits of one detail in so many unrelated pictures that it says nothing of any? Only pictures that an organisation or two platforms
 * vouch for count. Otherwise anybody could register two pictures of his own with the details of somebody else's and see by his own cases
 * whether hers is there; or register three, and have hers found no more.
 *
 * @param except a kin that does not count.
 */
export function isDecorationOf(searcher: Searcher, hits: readonly Hit[], except?: number): boolean {
  const kins = new Set<number>()
  for (const { image } of hits) {
    const tier = searcher.factsOf(image)?.tier
    if (tier === undefined || tier === 'self-reported') continue
    const subjectGroup = searcher.places.subjectGroupOf(image)
    if (subjectGroup === except) continue
    kins.add(subjectGroup)
    if (kins.size >= DECORATION_KINS) return true
  }
  return false
}
