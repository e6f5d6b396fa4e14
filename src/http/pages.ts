// Paged lists: schemas of the query and the answer, which has a cursor for the next page.

import { z } from 'zod'
import { formatCursor, PAGE_CURSOR_PATTERN, type PageCursor, parseCursor } from '../domain/page-cursor.js'

/** The cursor in a query. */
export const After = z
  .string()
  .regex(new RegExp(PAGE_CURSOR_PATTERN), 'must be the `next` of an answer')
  .transform((text, context): PageCursor => {
    const cursor = parseCursor(text)
    if (cursor !== undefined) return cursor
    context.addIssue({ code: 'custom', message: 'must be the `next` of an answer' })
    return z.NEVER
  })
  .meta({ description: 'The `next` of the previous page.' })

const MAX_LISTED = 1000

/** The query of a list that has pages: 100 entries unless the caller asks for up to 1,000. */
export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(MAX_LISTED).default(100),
  after: After.optional(),
})

/** For lists that once had no pages: the default page has 1,000 entries. */
export const LongPage = z.object({
  limit: z.coerce.number().int().min(1).max(MAX_LISTED).default(MAX_LISTED),
  after: After.optional(),
})

/** The cursor in an answer. */
export const Next = z
  .string()
  .nullable()
  .meta({ description: 'Send it as `after` for the next page; null on the last page.' })

export function nextOf(place: PageCursor | undefined): string | null {
  return place === undefined ? null : formatCursor(place)
}
