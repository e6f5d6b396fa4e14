// The directory of a ZIP file: what is in it, and where. It is at the end of the file, so a file of many gigabytes is never read as a whole.
// An own reader, because a library has ten times the code: browsers inflate by themselves.

export interface ZipEntry {
  /** With its folders. From a stranger. */
  readonly path: string
  readonly isLocked: boolean
  /** How it is packed: 0 not at all, 8 deflated. */
  readonly method: number
  /** Where its own header begins, and its sizes in bytes, as the directory says. */
  readonly at: number
  readonly packedSize: number
  readonly size: number
}

/** A directory of 100,000 files has about 10 MB. */
const MAX_DIRECTORY_BYTES = 16 << 20

/** Each record begins with its signature. A record for a large archive repeats fields that have no room in the usual one (zip64). */
const END = { signature: 0x06054b50, bytes: 22 } as const
const LOCATOR = { signature: 0x07064b50, bytes: 20 } as const
const LARGE_END = { signature: 0x06064b50, bytes: 56 } as const
const ENTRY = { signature: 0x02014b50, bytes: 46 } as const
export const LOCAL_HEADER = { signature: 0x04034b50, bytes: 30 } as const
const MAX_COMMENT_BYTES = 0xffff

/** The value of a field of 2 or 4 bytes that has no room for the number. */
const ELSEWHERE = { two: 0xffff, four: 0xffffffff } as const
const LARGE_FIELDS = 1

const FLAGS = { encrypted: 1, utf8: 0x800, maskedDirectory: 0x2000 } as const

/** @returns what is in a ZIP file; `undefined` if it is no ZIP file, broken, in several parts, or too large. */
export async function entriesOf(archive: Blob): Promise<readonly ZipEntry[] | undefined> {
  try {
    const end = await endOf(archive)
    if (end === undefined || end.bytes > MAX_DIRECTORY_BYTES || end.at + end.bytes > archive.size) return undefined
    const entries = Array.from(entriesIn(await viewOf(archive, end.at, end.bytes), end.at))
    // The field for the number of files has two bytes, and not every program writes the larger one.
    const isWhole = (entries.length & ELSEWHERE.two) === (end.count & ELSEWHERE.two)
    return isWhole && areApart(entries, end.at) ? entries : undefined
  } catch {
    return undefined // it ends too early, or was deleted
  }
}

interface DirectoryEnd {
  readonly at: number
  readonly bytes: number
  readonly count: number
}

async function endOf(archive: Blob): Promise<DirectoryEnd | undefined> {
  const tailAt = Math.max(0, archive.size - END.bytes - MAX_COMMENT_BYTES)
  const tail = await viewOf(archive, tailAt, archive.size - tailAt)
  for (let at = tail.byteLength - END.bytes; at >= 0; at--) {
    if (tail.getUint32(at, true) !== END.signature) continue
    if (at + END.bytes + tail.getUint16(at + 20, true) > tail.byteLength) continue
    const end = {
      count: tail.getUint16(at + 10, true),
      bytes: tail.getUint32(at + 12, true),
      at: tail.getUint32(at + 16, true),
    }
    const isLarge = end.count === ELSEWHERE.two || end.bytes === ELSEWHERE.four || end.at === ELSEWHERE.four
    return isLarge ? ((await largeEndOf(archive, tailAt + at)) ?? end) : end
  }
  return undefined
}

/** @param endAt where the usual record begins. A locator before it says where the one for large archives is. */
async function largeEndOf(archive: Blob, endAt: number): Promise<DirectoryEnd | undefined> {
  if (endAt < LOCATOR.bytes) return undefined
  const locator = await viewOf(archive, endAt - LOCATOR.bytes, LOCATOR.bytes)
  if (locator.getUint32(0, true) !== LOCATOR.signature) return undefined
  const end = await viewOf(archive, largeAt(locator, 8), LARGE_END.bytes)
  if (end.getUint32(0, true) !== LARGE_END.signature) throw new RangeError('no record where the locator points')
  return { count: largeAt(end, 32), bytes: largeAt(end, 40), at: largeAt(end, 48) }
}

function* entriesIn(directory: DataView, directoryAt: number): Generator<ZipEntry> {
  for (let at = 0; at + ENTRY.bytes <= directory.byteLength; ) {
    if (directory.getUint32(at, true) !== ENTRY.signature) return // a signature of the directory may follow
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => directory.getUint16(at + field, true))
    const extraAt = at + ENTRY.bytes + (nameBytes ?? 0)
    const flags = directory.getUint16(at + 8, true)
    const fields = sizesOf(directory, at, extraAt, extraBytes ?? 0)
    if (fields.at + LOCAL_HEADER.bytes + fields.packedSize > directoryAt)
      throw new RangeError('a file reaches into the directory')
    yield {
      path: textOf(bytesAt(directory, at + ENTRY.bytes, nameBytes ?? 0), (flags & FLAGS.utf8) !== 0),
      isLocked: (flags & (FLAGS.encrypted | FLAGS.maskedDirectory)) !== 0,
      method: directory.getUint16(at + 10, true),
      ...fields,
    }
    at = extraAt + (extraBytes ?? 0) + (commentBytes ?? 0)
  }
}

function sizesOf(
  directory: DataView,
  at: number,
  extraAt: number,
  extraBytes: number,
): Pick<ZipEntry, 'at' | 'packedSize' | 'size'> {
  const [packed, size, own] = [20, 24, 42].map((field) => directory.getUint32(at + field, true))
  let next = largeFieldsIn(directory, extraAt, extraBytes)
  const whole = (field = 0) => {
    if (field !== ELSEWHERE.four || next === undefined) return field
    next += 8
    return largeAt(directory, next - 8)
  }
  const fullSize = whole(size) // in this order
  return { size: fullSize, packedSize: whole(packed), at: whole(own) }
}

/** @returns where the fields begin that have no room in an entry. */
function largeFieldsIn(directory: DataView, extraAt: number, extraBytes: number): number | undefined {
  for (let at = extraAt; at + 4 <= extraAt + extraBytes; at += 4 + directory.getUint16(at + 2, true))
    if (directory.getUint16(at, true) === LARGE_FIELDS) return at + 4
  return undefined
}

/** Whether no files share bytes. Bombs let thousands of files share the same few, which unpack to far more than the archive could. */
function areApart(entries: readonly ZipEntry[], directoryAt: number): boolean {
  const inOrder = entries.toSorted((a, b) => a.at - b.at)
  return inOrder.every(
    ({ at, packedSize }, k) => at + LOCAL_HEADER.bytes + packedSize <= (inOrder[k + 1]?.at ?? directoryAt),
  )
}

/** Not every program says in which encoding names are, or says the truth. A wrong letter in a name harms nothing: names are only shown. */
function textOf(bytes: Uint8Array, isUtf8: boolean): string {
  try {
    return new TextDecoder('utf-8', { fatal: !isUtf8 }).decode(bytes)
  } catch {
    return new TextDecoder('windows-1252').decode(bytes)
  }
}

function bytesAt(view: DataView, at: number, length: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, length)
}

/** @throws {RangeError} for a number that no file has. */
function largeAt(view: DataView, at: number): number {
  const number = view.getBigUint64(at, true)
  if (number > Number.MAX_SAFE_INTEGER) throw new RangeError('too large')
  return Number(number)
}

export async function viewOf(archive: Blob, at: number, length: number): Promise<DataView> {
  return new DataView(await archive.slice(at, at + length).arrayBuffer())
}
