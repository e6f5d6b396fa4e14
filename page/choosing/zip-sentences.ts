// What became of the files in a ZIP file, in sentences.

import { countKinds, sayCounted } from '../file-counts.js'
import { type Said, say, sayCount } from '../messages.js'
import { isVideoName } from '../unpacking/media-names.js'
import type { ZipContents } from '../unpacking/zip-contents.js'

/** @param taken how many of its pictures and videos there was room for: the first ones. */
export function sayUnpacked({ files, lockedCount, otherCount }: ZipContents, taken: number): Said {
  const counts = countKinds(files.slice(0, taken).map(({ name }) => (isVideoName(name) ? 'videos' : 'pictures')))
  const sentences = [
    say('run.zip.taken', { files: sayCounted(counts) }),
    ...(taken < files.length ? [say('run.zip.tooMany', { total: files.length })] : []),
    ...(lockedCount > 0 ? [sayCount('run.zip.closed', lockedCount)] : []),
    ...(otherCount > 0 ? [sayCount('run.zip.other', otherCount)] : []),
  ]
  return () => sentences.map((sentence) => sentence()).join(' ')
}
