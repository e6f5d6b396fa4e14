// Prepares a Matroska file for a parser: counts the tracks and other parts that it declares, because the parser keeps an object for each, and
// enables its tracks.

import { MAX_TRACKS } from './video-track.js'

const EBML = 0x1a45dfa3
const SEGMENT = 0x18538067
const CLUSTER = 0x1f43b675
const TRACKS = 0x1654ae6b
const FLAG_ENABLED = 0xb9
const VOID = 0xec
const CRC = 0xbf
/** Maximum number of parts. Ten minutes with a cue for each of 60 frames a second have 36,000. */
const MAX_PARTS = 200_000

interface Element {
  readonly id: number
  readonly start: number
  /** `undefined` if its length is declared as unknown. */
  readonly end: number | undefined
}

/**
 * Enables all tracks in `file`: browsers show the first track with pictures, also one that says that it is not to be used, which the parser would
 * leave out.
 * @returns false for more than `MAX_TRACKS` tracks or `MAX_PARTS` parts. Elements after one of unknown length are not counted.
 * Cost: a step for each part, at most `MAX_PARTS`.
 */
export function prepareMatroska(file: Uint8Array): boolean {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  let [parts, tracks] = [0, 0]
  const enable = ({ start, end = start }: Element) => {
    for (let at = start; at < Math.min(end, view.byteLength); ) {
      const field = elementAt(view, at)
      if (field?.end === undefined || ++parts > MAX_PARTS) return
      if (field.id === FLAG_ENABLED && field.end > field.start && field.end <= view.byteLength) file[field.end - 1] = 1
      at = field.end
    }
  }
  for (let at = 0; parts <= MAX_PARTS; parts++) {
    const element = elementAt(view, at)
    if (element === undefined) return true
    const { id, start, end } = element
    at = id === SEGMENT ? start : (end ?? view.byteLength)
    if ([EBML, SEGMENT, CLUSTER, VOID, CRC].includes(id)) continue
    for (let inner = start; inner < Math.min(at, view.byteLength); ) {
      const part = elementAt(view, inner)
      if (part?.end === undefined) break
      if (id === TRACKS && ++tracks > MAX_TRACKS) return false
      if (++parts > MAX_PARTS) return false
      if (id === TRACKS) enable(part)
      inner = part.end
    }
  }
  return false
}

function elementAt(view: DataView, at: number): Element | undefined {
  if (at + 12 > view.byteLength) return undefined
  const idBytes = Math.clz32(view.getUint8(at)) - 23
  if (idBytes > 4) return undefined
  const id = view.getUint32(at) >>> (8 * (4 - idBytes))
  const first = view.getUint8(at + idBytes)
  const sizeBytes = Math.clz32(first) - 23
  if (sizeBytes > 8) return undefined
  let size = first & (0xff >> sizeBytes)
  let isUnknown = size === 0xff >> sizeBytes
  for (let i = 1; i < sizeBytes; i++) {
    const byte = view.getUint8(at + idBytes + i)
    size = 256 * size + byte
    isUnknown &&= byte === 0xff
  }
  const start = at + idBytes + sizeBytes
  return { id, start, end: isUnknown ? undefined : start + size }
}
