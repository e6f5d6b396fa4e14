// Hashes of a video file's bytes as signals, for registrations and queries.

import type { Hash256 } from '../../../hash/src/hash256.js'
import { parseSignalHash } from './hash-text.js'
import type { Signal } from './signal.js'

/** @param file MD5 in hex. */
export function fileSignals(file: { readonly sha256?: Hash256 | undefined; readonly md5?: string | undefined }): Signal[] {
  const md5 = file.md5 === undefined ? undefined : parseSignalHash('video_md5', file.md5)
  const given = [
    { type: 'sha256', hash: file.sha256 },
    { type: 'video_md5', hash: md5 },
  ] as const
  return given.flatMap(({ type, hash }) => (hash === undefined ? [] : [{ type, view: 'whole', quality: 100, hash }]))
}
