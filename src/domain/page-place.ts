// Where a page of a sorted list ended: the score and the member of its last entry. Both, since any number of entries may share a score.

export interface PageCursor {
  readonly score: number
  /** Hex. */
  readonly member: string
}

const PATTERN = /^(\d{1,16})\.((?:[0-9a-f]{2}){1,256})$/
export const PAGE_PLACE_PATTERN = PATTERN.source

export function formatPlace({ score, member }: PageCursor): string {
  return `${score}.${member}`
}

/**
 * A page of a list that is in memory, in the order of its places.
 * @param placeOf no two entries may have the same one.
 * @param isDescending are higher scores first? Equal scores are in the order of their members either way.
 */
export function pageOfList<T>(
  all: readonly T[],
  placeOf: (entry: T) => PageCursor,
  { after, limit, isDescending = false }: { after?: PageCursor | undefined; limit: number; isDescending?: boolean },
): { readonly page: readonly T[]; readonly next: PageCursor | undefined } {
  const compare = (a: PageCursor, b: PageCursor) =>
    (isDescending ? b.score - a.score : a.score - b.score) || (a.member < b.member ? -1 : Number(a.member > b.member))
  const behind = all
    .map((entry) => ({ entry, place: placeOf(entry) }))
    .filter(({ place }) => after === undefined || compare(place, after) > 0)
    .sort((a, b) => compare(a.place, b.place))
  const page = behind.slice(0, limit)
  return { page: page.map(({ entry }) => entry), next: behind.length > limit ? page.at(-1)?.place : undefined }
}

/** @returns `undefined` for text that is no place. */
export function parsePlace(text: string): PageCursor | undefined {
  const [, score, member] = PATTERN.exec(text) ?? []
  return member === undefined ? undefined : { score: Number(score), member }
}
