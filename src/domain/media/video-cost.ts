// What hashing a video will cost, read from its container before a worker gets it. Decodes nothing. A file may lie: what it cost is counted afterwards,
// and a worker decodes only key frames of one that exceeds what was expected.

import { type ByteReader, createByteReader } from './byte-reader.js'
import { DECODING_MS_PER_MINUTE, DECODING_START_MS } from './video-limits.js'

/** Bytes that may be read. Ten minutes of 240 frames a second with sound need some 3 million in Matroska, and far fewer in MP4. */
const MAX_READS = 4_000_000
/** Decoding and hashing: a minute of 1080p with 30 frames a second took 8 s. */
const NS_PER_PIXEL = 2.2
const MAX_DEPTH = 8

interface Track {
  isVideo: boolean
  frames: number
  pixels: number
  durationMs: number
}

type Pause = () => Promise<void> | undefined

/**
 * @param pieces the file. They may be overwritten meanwhile: then the answer means nothing.
 * @param pause called between steps.
 * @returns the processor time [ms]; `undefined` if the file does not show it.
 */
export async function videoCostMs(pieces: readonly Uint8Array[], pause: Pause): Promise<number | undefined> {
  const file = createByteReader(pieces, MAX_READS)
  try {
    const tracks = await (file.u32(0) === EBML ? matroskaTracks(file, pause) : mp4Tracks(file, pause))
    const costs = tracks.flatMap((track) => (track.isVideo && track.frames * track.pixels > 0 ? costOf(track) : []))
    return costs.length === 0 ? undefined : costs.reduce((most, cost) => Math.max(most, cost))
  } catch (error) {
    if (error instanceof RangeError) return undefined // the file ends within its header, or has too many parts
    throw error
  }
}

/** The decoder gets no more processor time than `pace.ts` allows. */
function costOf({ frames, pixels, durationMs }: Track): number {
  const mostMs = DECODING_START_MS + (DECODING_MS_PER_MINUTE * durationMs) / 60_000
  return Math.round(Math.min(mostMs, (frames * pixels * NS_PER_PIXEL) / 1e6))
}

const noTrack = (): Track => ({ isVideo: false, frames: 0, pixels: 0, durationMs: 0 })

const BOXES_OF_BOXES = ['moov', 'trak', 'mdia', 'minf', 'stbl', 'moof', 'traf']

async function mp4Tracks(file: ByteReader, pause: Pause): Promise<Track[]> {
  const tracks: Track[] = []
  const byId = new Map<number, Track>()
  let track = noTrack()
  let timescale = 0

  const read = (type: string, at: number) => {
    const isLong = () => file.u8(at) === 1
    if (type === 'tkhd') byId.set(file.u32(at + (isLong() ? 20 : 12)), track)
    else if (type === 'hdlr') track.isVideo ||= file.text(at + 8, 4) === 'vide'
    else if (type === 'stsd') track.pixels = Math.max(track.pixels, file.u16(at + 40) * file.u16(at + 42))
    else if (type === 'stsz' || type === 'stz2') track.frames += file.u32(at + 8)
    else if (type === 'tfhd') track = byId.get(file.u32(at + 4)) ?? noTrack()
    else if (type === 'trun') {
      track.frames += file.u32(at + 4)
      track.durationMs = Number.POSITIVE_INFINITY // not worth adding up
    } else if (type === 'mdhd') {
      timescale = file.u32(at + (isLong() ? 20 : 12))
      last(isLong() ? file.u32(at + 24) * 2 ** 32 + file.u32(at + 28) : file.u32(at + 16))
    }
  }
  const last = (units: number) => {
    track.durationMs = Math.max(track.durationMs, timescale > 0 ? (1000 * units) / timescale : Number.POSITIVE_INFINITY)
  }
  /** A file may declare a shorter duration than its frames have. */
  const readTimes = async (at: number) => {
    let units = 0
    for (let left = file.u32(at + 4), entry = at + 8; left > 0; left--, entry += 8) {
      await pause()
      units += file.u32(entry) * file.u32(entry + 4)
    }
    last(units)
  }
  const walk = async (from: number, to: number, depth: number): Promise<void> => {
    for (let at = from; at + 8 <= to; ) {
      await pause()
      const size = file.u32(at)
      const content = at + (size === 1 ? 16 : 8)
      const end = size === 0 ? to : at + (size === 1 ? file.u32(at + 8) * 2 ** 32 + file.u32(at + 12) : size)
      if (end < content) return
      const type = file.text(at + 4, 4)
      if (type === 'trak') {
        track = noTrack()
        tracks.push(track)
      }
      if (type === 'stts') await readTimes(content)
      else if (!BOXES_OF_BOXES.includes(type)) read(type, content)
      else if (depth < MAX_DEPTH) await walk(content, Math.min(end, to), depth + 1)
      at = end
    }
  }
  await walk(0, file.length, 0)
  return tracks
}

const EBML = 0x1a45dfa3
const [INFO, TRACKS, TRACK, VIDEO, SEGMENT, CLUSTER, GROUP] = [
  0x1549a966, 0x1654ae6b, 0xae, 0xe0, 0x18538067, 0x1f43b675, 0xa0,
]
/** Elements whose content is read as if it stood beside them: those that matter have ids of their own, and some have no known length. */
const ELEMENTS_OF_ELEMENTS: readonly number[] = [INFO, TRACKS, TRACK, VIDEO, SEGMENT, CLUSTER, GROUP]
const TIMESCALE_NS = 1e6

async function matroskaTracks(file: ByteReader, pause: Pause): Promise<Track[]> {
  const tracks: Track[] = []
  const byNumber = new Map<number, Track>()
  let track = noTrack()
  let side = 0
  let msPerUnit = 1
  let clusterAt = 0
  let units = 0

  const read = (id: number, at: number, length: number) => {
    if (id === 0x2ad7b1) msPerUnit = uint(file, at, length) / TIMESCALE_NS
    else if (id === 0x4489) units = Math.max(units, float(file, at, length))
    else if (id === 0xd7) byNumber.set(uint(file, at, length), track)
    else if (id === 0x83) track.isVideo = uint(file, at, length) === 1
    else if (id === 0xb0) side = uint(file, at, length)
    else if (id === 0xba) track.pixels = side * uint(file, at, length)
    else if (id === 0xe7) clusterAt = uint(file, at, length)
    else if (id === 0xa3 || id === 0xa1) {
      const { value, next } = variable(file, at)
      const since = file.u16(next)
      units = Math.max(units, clusterAt + (since < 0x8000 ? since : 0))
      const own = byNumber.get(value)
      if (own !== undefined) own.frames++
    }
  }
  for (let at = 0; at < file.length; ) {
    await pause()
    const idBytes = Math.clz32(file.u8(at)) - 23
    if (idBytes > 4) throw new RangeError('no element')
    const id = uint(file, at, idBytes)
    const { value: length, next, isUnknown } = variable(file, at + idBytes)
    if (id === TRACK) {
      track = noTrack()
      tracks.push(track)
    }
    if (ELEMENTS_OF_ELEMENTS.includes(id)) at = next
    else {
      if (isUnknown) throw new RangeError('an element without an end')
      read(id, next, length)
      at = next + length
    }
  }
  for (const each of tracks) each.durationMs = units * msPerUnit
  return tracks
}

function uint(file: ByteReader, at: number, length: number): number {
  let value = 0
  for (let i = 0; i < Math.min(8, length); i++) value = 256 * value + file.u8(at + i)
  return value
}

function float(file: ByteReader, at: number, length: number): number {
  const view = new DataView(new ArrayBuffer(8))
  for (let i = 0; i < Math.min(8, length); i++) view.setUint8(i, file.u8(at + i))
  return length === 4 ? view.getFloat32(0) : view.getFloat64(0)
}

/** A number whose first byte says how many it has. */
function variable(file: ByteReader, at: number) {
  const first = file.u8(at)
  const bytes = Math.clz32(first) - 23
  if (bytes > 8) throw new RangeError('no number')
  const mask = 0xff >> bytes
  let [value, isUnknown] = [first & mask, (first & mask) === mask]
  for (let i = 1; i < bytes; i++) {
    const byte = file.u8(at + i)
    value = 256 * value + byte
    isUnknown &&= byte === 0xff
  }
  return { value, next: at + bytes, isUnknown }
}
