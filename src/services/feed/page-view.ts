// What one page of the feed is read from, and where it ended.

import type { Catalogue } from '../index/catalogue.js'
import type { FeedPosition, FeedReader } from './feed-cursor.js'

/** What a page is read from. Fixed until the page ends. */
export interface PageView {
  readonly reader: FeedReader
  readonly catalogue: Catalogue
  /** The revision of the catalogue. */
  readonly until: number
  /** The revision at which the last batch ended. */
  readonly lastEnd: number
  /** The approximate page size in images. */
  readonly limit: number
}

export interface PageEnd {
  readonly place: Omit<FeedPosition, 'seen'>
  /** Whether the reader can read more now. */
  readonly more: boolean
}
