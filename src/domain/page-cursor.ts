// Pagination cursors: the score and member of the last entry of a page. Both are needed because many entries may share a score.

export interface PageCursor {
  readonly score: number
  /** Hex, 1…256 bytes. */
  readonly member: string
}

const PATTERN = /^(\d{1,16})\.((?:[0-9a-f]{2}){1,256})$/
export const PAGE_CURSOR_PATTERN = PATTERN.source

export function formatCursor({ score, member }: PageCursor): string {
  return `${score}.${member}`
}

/**
 * A page of a list in memory, sorted by cursor.
 * @param cursorOf the cursor of an entry. No two entries may share one.
 * @param isDescending whether higher scores come first. Equal scores are sorted by member, ascending, in either case.
 * @returns the page, and the cursor of the next one; `next` is `undefined` on the last page.
 * Cost: sorts the whole list.
 */
export function pageOfList<T>(
  all: readonly T[],
  cursorOf: (entry: T) => PageCursor,
  { after, limit, isDescending = false }: { after?: PageCursor | undefined; limit: number; isDescending?: boolean },
): { readonly page: readonly T[]; readonly next: PageCursor | undefined } {
  const compare = (a: PageCursor, b: PageCursor) =>
    (isDescending ? b.score - a.score : a.score - b.score) || (a.member < b.member ? -1 : Number(a.member > b.member))
  const behind = all
    .map((entry) => ({ entry, cursor: cursorOf(entry) }))
    .filter(({ cursor }) => after === undefined || compare(cursor, after) > 0)
    .sort((a, b) => compare(a.cursor, b.cursor))
  const page = behind.slice(0, limit)
  return { page: page.map(({ entry }) => entry), next: behind.length > limit ? page.at(-1)?.cursor : undefined }
}

/** @returns `undefined` if the text is not a cursor. */
export function parseCursor(text: string): PageCursor | undefined {
  const [, score, member] = PATTERN.exec(text) ?? []
  return member === undefined ? undefined : { score: Number(score), member }
}
