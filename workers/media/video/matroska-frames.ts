// Reads the frames that ffmpeg writes: a Matroska stream with one track of uncompressed grey pictures. A video may have taken control of ffmpeg, so
// every length is checked, and only times and pixels are used.

const SEGMENT = 0x18538067
const CLUSTER = 0x1f43b675
const CLUSTER_TIME = 0xe7
const SIMPLE_BLOCK = 0xa3
const BLOCK_GROUP = 0xa0
const BLOCK = 0xa1
/** Elements whose children are read. */
const ENTERED = new Set([SEGMENT, CLUSTER, BLOCK_GROUP])
/** Size of track number, time and flags. */
const BLOCK_HEAD_BYTES = 4
/** Maximum size of other elements, such as the description of the track. */
const MAX_OTHER_BYTES = 1 << 16
const MAX_HEAD_BYTES = 12

export interface FrameReader {
  /** Takes the next bytes of the stream. @throws {RangeError} when they are no such stream. */
  take(chunk: Uint8Array): void
  /** Whether the last element is complete, so that the stream may end here. */
  readonly isWhole: boolean
  /** Overwrites the pixels. */
  wipe(): void
}

/**
 * @param frameBytes of each frame.
 * @param onFrame called with each frame; its pixels are overwritten by those of the next.
 */
export function createFrameReader(frameBytes: number, onFrame: (atMs: number, pixels: Uint8Array) => void): FrameReader {
  const frame = Buffer.allocUnsafeSlow(BLOCK_HEAD_BYTES + frameBytes)
  const other = Buffer.alloc(MAX_OTHER_BYTES)
  const head = Buffer.alloc(MAX_HEAD_BYTES)
  let headFilled = 0
  let clusterMs = 0
  let body: { readonly id: number; readonly bytes: number; readonly into: Buffer; filled: number } | undefined

  const enter = ({ id, bytes }: ElementHead) => {
    headFilled = 0
    if (ENTERED.has(id)) return
    const isFrame = id === SIMPLE_BLOCK || id === BLOCK
    if (isFrame ? bytes !== frame.length : bytes > MAX_OTHER_BYTES) throw new RangeError('an element has another length')
    body = { id, bytes, into: isFrame ? frame : other, filled: 0 }
  }
  const finish = (id: number, bytes: number) => {
    if (id === CLUSTER_TIME) clusterMs = bytes <= 6 && bytes > 0 ? other.readUIntBE(0, bytes) : Number.NaN
    if (id !== SIMPLE_BLOCK && id !== BLOCK) return
    const atMs = clusterMs + frame.readInt16BE(1)
    if (!Number.isSafeInteger(atMs)) throw new RangeError('a frame has no time')
    onFrame(atMs, frame.subarray(BLOCK_HEAD_BYTES))
  }
  return {
    take(chunk) {
      for (let at = 0; at < chunk.length || body?.filled === body?.bytes; ) {
        if (body === undefined) {
          if (at === chunk.length) return
          if (headFilled === MAX_HEAD_BYTES) throw new RangeError('an element has no length')
          head[headFilled++] = chunk[at++] ?? 0
          const found = headIn(head.subarray(0, headFilled))
          if (found !== undefined) enter(found)
        } else {
          const { id, bytes, into, filled } = body
          const part = chunk.subarray(at, at + bytes - filled)
          into.set(part, filled)
          at += part.length
          body.filled += part.length
          if (body.filled < bytes) continue
          body = undefined
          finish(id, bytes)
        }
      }
    },
    get isWhole() {
      return body === undefined && headFilled === 0
    },
    wipe: () => frame.fill(0),
  }
}

interface ElementHead {
  readonly id: number
  readonly bytes: number
}

/** @returns the id and length of an element; `undefined` while bytes of them are missing. */
function headIn(head: Uint8Array): ElementHead | undefined {
  const idBytes = lengthOf(head[0] ?? 0)
  if (idBytes > 4) throw new RangeError('this is no element')
  const first = head[idBytes]
  if (first === undefined) return undefined
  const sizeBytes = lengthOf(first)
  if (sizeBytes > 8) throw new RangeError('an element has no length')
  if (head.length < idBytes + sizeBytes) return undefined
  let id = 0
  for (const byte of head.subarray(0, idBytes)) id = id * 256 + byte
  let bytes = first & (0xff >> sizeBytes)
  for (const byte of head.subarray(idBytes + 1, idBytes + sizeBytes)) bytes = bytes * 256 + byte
  return { id, bytes }
}

/** @returns how many bytes a number of variable length has, by its first byte. */
function lengthOf(first: number): number {
  return Math.clz32(first) - 23
}
