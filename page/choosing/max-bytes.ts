import type { Kind } from '../file-counts.js'
import { given } from '../given.js'

/** Size of the largest file that the server accepts; 0 for videos if it decodes none. */
export function maxBytes(): Readonly<Record<Kind, number>> {
  return { pictures: given.maxImageBytes, videos: given.maxVideoBytes ?? 0 }
}
