// Checks by the first bytes whether a file can be a list of hashes, before any of it is sent.

import { formatOf } from '../src/domain/media/media-formats.js'

const HEAD_BYTES = 4096
const GZIP = [0x1f, 0x8b] as const
const UTF16 = [
  [0xff, 0xfe],
  [0xfe, 0xff],
] as const

/** @returns why not, in a sentence; `undefined` where it may be one: the service reads it line by line and reports the rest. */
export async function refusalOf(file: Blob): Promise<string | undefined> {
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer())
  if (formatOf(head) !== undefined) {
    return 'This is a picture, and pictures are not imported: only hashes are. Nothing was sent.'
  }
  if (GZIP.every((byte, k) => head[k] === byte) || isText(head)) return undefined
  return 'This is not a text file. Save the list as CSV or as text, one hash a line. Nothing was sent.'
}

/** Text has no byte below the space but tabs and line ends. In UTF-16, which begins with a mark, others do. */
function isText(head: Uint8Array): boolean {
  if (UTF16.some((mark) => mark.every((byte, k) => head[k] === byte))) return true
  return head.every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d)
}
