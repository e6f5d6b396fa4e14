// The pictures and videos in a ZIP file: a backup of a phone, a saved chat, or what a platform lets people download about themselves.

import { FORMAT_BYTES, formatOf, unreadKindOf } from '../../src/domain/media/media-formats.js'
import { isMediaName } from './media-names.js'
import { firstBytes, type PackedFile } from './packed-file.js'
import { entriesOf, type ZipEntry } from './zip-directory.js'

export interface ZipContents {
  /** Pictures and videos, as their names say, or their first bytes. */
  readonly files: readonly PackedFile[]
  /** How many files may be pictures and cannot be unpacked: locked with a password, or packed in a rare way. */
  readonly lockedCount: number
  /** How many other files there are, hidden ones and further archives among them. */
  readonly otherCount: number
}

/** Files whose names do not say what they are. Each is looked into, which takes about a millisecond. */
const MAX_LOOKED_INTO = 2000
const MAX_NAME = 80
/** Deflating makes nothing smaller than this. */
const MAX_RATIO = 1032

const METHODS = [0, 8]
/** What backups contain besides. */
const OTHER_NAME =
  /\.(txt|json|html?|css|js|xml|csv|pdf|vcf|ics|srt|opus|ogg|oga|mp3|m4a|aac|amr|wav|db|sqlite|crypt\d+|zip|docx?|xlsx?|pptx?|tgs|svg|plist)$/i

/** @returns `undefined` for a file that is no ZIP file; `broken` for one that cannot be read. */
export async function zipContents(archive: Blob): Promise<ZipContents | 'broken' | undefined> {
  if (!(await isZip(archive))) return undefined
  const entries = await entriesOf(archive)
  if (entries === undefined || typeof DecompressionStream === 'undefined') return 'broken'
  const files: PackedFile[] = []
  let [lockedCount, otherCount, lookedInto] = [0, 0, 0]
  for (const entry of entries) {
    if (entry.path.endsWith('/')) continue
    const { isHidden, name } = shownName(entry.path)
    const isMedia = isMediaName(name)
    if (isHidden || (!isMedia && (OTHER_NAME.test(name) || lookedInto++ >= MAX_LOOKED_INTO))) otherCount++
    else if (entry.isLocked || !METHODS.includes(entry.method) || isImpossible(entry)) lockedCount++
    else {
      const file = packedFile(archive, entry, name)
      if (isMedia || (await looksLikeMedia(file))) files.push(file)
      else otherCount++
    }
  }
  return { files, lockedCount, otherCount }
}

async function isZip(file: Blob): Promise<boolean> {
  const [first, ...rest] = new Uint8Array(
    await file
      .slice(0, 4)
      .arrayBuffer()
      .catch(() => new ArrayBuffer()),
  )
  return first === 0x50 && `${rest}` === '75,3,4'
}

function packedFile(archive: Blob, { at, packedSize, size, method }: ZipEntry, name: string): PackedFile {
  return { archive, name, type: '', size, packedSize, isDeflated: method !== 0, at }
}

/** Its sizes are a lie. */
function isImpossible({ size, packedSize }: ZipEntry): boolean {
  return size > MAX_RATIO * packedSize
}

/** Of a file that cannot be read, nothing is known: it is passed over. */
async function looksLikeMedia(file: PackedFile): Promise<boolean> {
  const head = await firstBytes(file, FORMAT_BYTES).catch(() => new Uint8Array())
  if (formatOf(head) !== undefined) return true
  const kind = unreadKindOf(head)
  return kind === 'video' || kind === 'picture'
}

/** Without folders, and without characters that turn the text around it. */
function shownName(path: string): { readonly name: string; readonly isHidden: boolean } {
  const parts = path.split(/[\\/]/)
  const name = (parts.at(-1) ?? '').replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '')
  const isHidden = parts.some((part) => part.startsWith('.') || part === '__MACOSX')
  return { name: name.length <= MAX_NAME ? name : `${name.slice(0, MAX_NAME / 2)}…${name.slice(-MAX_NAME / 4)}`, isHidden }
}
