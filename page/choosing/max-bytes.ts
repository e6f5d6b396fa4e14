import type { Kind } from '../file-counts.js'
import { given } from '../given.js'

/** The largest file that the server takes; 0 for videos where it decodes none. */
export function maxBytes(): Readonly<Record<Kind, number>> {
  return { pictures: given.maxImageBytes, videos: given.maxVideoBytes ?? 0 }
}
