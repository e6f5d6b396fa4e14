// A file inside of a ZIP file that was chosen. It is unpacked on the device, when its turn comes.

import { LOCAL_HEADER, viewOf } from './zip-directory.js'

export interface PackedFile {
  readonly archive: Blob
  /** Shown on this device and sent nowhere. */
  readonly name: string
  readonly type: ''
  /** [B] Unpacked, as the archive says. Nothing longer is unpacked. */
  readonly size: number
  readonly packedSize: number
  readonly isDeflated: boolean
  /** Where its own header begins in the archive. */
  readonly at: number
}

/** A file that was chosen, by itself or within a ZIP file. */
export type PickedFile = File | PackedFile

/**
 * A file that is not deflated is a part of the archive. A deflated one is unpacked into the browser's memory, from which it disappears when nothing uses
 * it any more; a browser that has little memory may write a large one to a temporary file of its own meanwhile.
 *
 * @throws {Error} when the archive was deleted, or this part of it is damaged or not as long as it says.
 */
export async function unpacked(file: Blob | PackedFile): Promise<Blob> {
  if (!('archive' in file)) return file
  const packed = await contentOf(file)
  if (!file.isDeflated) return packed
  const whole = await new Response(inflated(packed).pipeThrough(noLongerThan(file.size))).blob()
  if (whole.size !== file.size) throw new RangeError('shorter than it says')
  return whole
}

/** The first bytes, without unpacking more. @throws as `unpacked`. */
export async function firstBytes(file: Blob | PackedFile, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
  if (!('archive' in file)) return bytesOf(file.slice(0, bytes))
  const packed = await contentOf(file)
  if (!file.isDeflated) return bytesOf(packed.slice(0, bytes))
  const reader = inflated(packed).getReader()
  const head = new Uint8Array(Math.min(bytes, file.size))
  let filled = 0
  while (filled < head.length) {
    const { done, value } = await reader.read()
    if (done) throw new RangeError('shorter than it says')
    const part = value.subarray(0, head.length - filled)
    head.set(part, filled)
    filled += part.length
  }
  await reader.cancel().catch(() => {})
  return head
}

async function bytesOf(blob: Blob): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await blob.arrayBuffer())
}

/** What is between the file's own header, which may be longer than the directory knows, and the next file. */
async function contentOf({ archive, at, packedSize, size, isDeflated }: PackedFile): Promise<Blob> {
  const header = await viewOf(archive, at, LOCAL_HEADER.bytes)
  if (header.getUint32(0, true) !== LOCAL_HEADER.signature) throw new RangeError('no file here')
  const from = at + LOCAL_HEADER.bytes + header.getUint16(26, true) + header.getUint16(28, true)
  if (from + packedSize > archive.size) throw new RangeError('it ends too early')
  if (!isDeflated && packedSize !== size) throw new RangeError('not as long as it says')
  return archive.slice(from, from + packedSize)
}

function inflated(packed: Blob): ReadableStream<Uint8Array<ArrayBuffer>> {
  return packed.stream().pipeThrough(new DecompressionStream('deflate-raw'))
}

/** A small bomb would fill the memory. */
function noLongerThan(bytes: number): TransformStream<Uint8Array, Uint8Array> {
  let count = 0
  return new TransformStream({
    transform(part, controller) {
      count += part.length
      if (count > bytes) controller.error(new RangeError('longer than it says'))
      else controller.enqueue(part)
    },
  })
}
