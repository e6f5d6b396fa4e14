// The frames of an AVIF image sequence: the samples of its first video track. https://aomediacodec.github.io/av1-avif/#image-sequences
// The alpha track is not read: frames are decoded as if they were opaque. Offsets in boxes are those of ISO/IEC 14496-12.

import { chooseFrames, shownMs } from '../../../../packages/hash/src/file-frames.js'
import { type Box, boxesIn } from '../heif/heif-boxes.js'
import { type Animation, allowedMs, type ByteRange, chosenMs, type FrameHeader, MAX_LISTED_FRAMES } from './animation.js'
import { looksWithin, NO_LOOKS } from './looks.js'

export interface AvifFrame extends FrameHeader {
  /** The index of the frame at which decoding has to begin: the last sync sample at or before this frame. */
  readonly start: number
}

export interface AvifAnimation extends Animation<AvifFrame> {
  /** The whole boxes of the sample entry that describe the picture: configuration, colours, rotation. */
  readonly properties: readonly ByteRange[]
}

/** Bytes of a visual sample entry before its boxes. */
const SAMPLE_ENTRY_BYTES = 78
const PROPERTIES = ['av1C', 'colr', 'irot', 'imir', 'pasp']

/**
 * @returns `undefined` if browsers show the still picture, because the major brand is not `avis`, or there is no track of AV1 pictures.
 * @throws {RangeError} when the file ends within its boxes. @throws {TooManyBoxes}
 */
export function avifAnimation(file: Buffer): AvifAnimation | undefined {
  if (file.length < 16 || file.toString('latin1', 8, 12) !== 'avis') return undefined
  for (const moov of boxesIn(file, 0, file.length)) {
    if (moov.type !== 'moov') continue
    for (const track of boxesIn(file, moov.from, moov.to)) {
      const found = track.type === 'trak' ? trackOf(file, track) : undefined
      if (found !== undefined) return found
    }
  }
  return undefined
}

/** Measured time to decode a pixel, and besides a byte of coded data. */
const NS_PER_PIXEL = 30
export const NS_PER_AV1_BYTE = 150

/**
 * Chooses the frames that represent the sequence, within a time limit. To get a frame, all frames since its sync sample are decoded.
 * @returns `chosen`: indexes, the frame shown longest first; `looks`: those to look at as in a video, in the time that is left; and the estimated time
 *   for decoding and hashing all of them.
 */
export function chosenSamples({ width, height, frames }: AvifAnimation, sizeBytes: number, maxFrames: number) {
  const limitMs = allowedMs(sizeBytes)
  /** For each frame, the bytes that are read for it: of all frames since its sync sample. */
  const bytesFor: number[] = []
  const decodingMs = (index: number) => {
    const pixels = (index + 1 - (frames[index]?.start ?? 0)) * width * height
    return (pixels * NS_PER_PIXEL + (bytesFor[index] ?? 0) * NS_PER_AV1_BYTE) / 1e6
  }
  const costMs = (index: number) => chosenMs({ width, height }) + decodingMs(index)
  let bytes = 0
  // Overlapping samples could make a small file expensive. So frames are not decoded once the samples since the sync sample are larger than the file.
  const isReadable = frames.map(({ isWhole, start, data }, index) => {
    if (start === index) bytes = 0
    for (const [from, to] of data) bytes += isWhole ? to - from : Number.POSITIVE_INFINITY
    bytesFor.push(bytes)
    return bytes <= sizeBytes
  })
  const reachable = frames.flatMap((_, index) => (isReadable[index] && costMs(index) <= limitMs ? [index] : []))
  const preferred = chooseFrames(reachable.map((index) => frames[index]?.durationMs ?? 0)).map((at) => reachable[at] ?? 0)
  const chosen: number[] = []
  let timeMs = 0
  for (const index of preferred.slice(0, maxFrames)) {
    if (timeMs + costMs(index) > limitMs) continue
    timeMs += costMs(index)
    chosen.push(index)
  }
  const end = isReadable.indexOf(false)
  const looks =
    maxFrames === 1
      ? NO_LOOKS
      : looksWithin(limitMs - timeMs, {
          durationsMs: frames.slice(0, end < 0 ? frames.length : end).map(({ durationMs }) => durationMs),
          pixels: width * height,
          decoded: new Set(),
          missingFor: (index) => [index],
          costOf: decodingMs,
        })
  return { chosen, looks, timeMs: timeMs + looks.timeMs }
}

function trackOf(file: Buffer, track: Box): AvifAnimation | undefined {
  const media = child(file, track, 'mdia')
  const handler = media && child(file, media, 'hdlr')
  if (
    media === undefined ||
    handler === undefined ||
    !isPicture(file.toString('latin1', handler.from + 8, handler.from + 12))
  )
    return undefined
  const header = child(file, media, 'mdhd')
  const information = child(file, media, 'minf')
  const table = information && child(file, information, 'stbl')
  const descriptions = table && child(file, table, 'stsd')
  if (header === undefined || table === undefined || descriptions === undefined) return undefined
  const entry = boxesIn(file, descriptions.from + 8, descriptions.to)[0]
  if (entry?.type !== 'av01') return undefined
  const properties = boxesIn(file, entry.from + SAMPLE_ENTRY_BYTES, entry.to)
    .filter(({ type }) => PROPERTIES.includes(type))
    .map(({ from, to }): ByteRange => [from - 8, to])
  const [width, height] = [file.readUInt16BE(entry.from + 24), file.readUInt16BE(entry.from + 26)]
  const timescale = file.readUInt32BE(header.from + (file.readUInt8(header.from) === 1 ? 20 : 12)) || 1000
  return { width, height, properties, frames: framesOf(file, table, { width, height, timescale }) }
}

function isPicture(handler: string): boolean {
  return handler === 'pict' || handler === 'vide'
}

function child(file: Buffer, { from, to }: Box, name: string): Box | undefined {
  return boxesIn(file, from, to).find(({ type }) => type === name)
}

interface Track {
  readonly width: number
  readonly height: number
  readonly timescale: number
}

function framesOf(file: Buffer, table: Box, { width, height, timescale }: Track): AvifFrame[] {
  const boxes = boxesIn(file, table.from, table.to)
  const find = (...names: readonly string[]) => boxes.find(({ type }) => names.includes(type))
  const samples = rangesOf(file, find('stsz'), find('stsc'), find('stco', 'co64'))
  const durations = durationsOf(file, find('stts'), samples.length)
  const syncs = syncsOf(file, find('stss'))
  let start = 0
  return samples.map(([from, to], index) => {
    if (syncs?.has(index) ?? true) start = index
    return {
      left: 0,
      top: 0,
      width,
      height,
      durationMs: shownMs((1000 * (durations[index] ?? 0)) / timescale),
      isSource: true,
      isOpaque: true,
      disposal: 'keep',
      isWhole: to <= file.length,
      data: [[from, Math.min(to, file.length)]],
      start,
    }
  })
}

/** @returns the number of entries that a table declares, but at most those that fit in its box, and at most `MAX_LISTED_FRAMES`. */
function entriesIn(file: Buffer, { to }: Box, at: number, entryBytes: number): number {
  return Math.max(0, Math.min(file.readUInt32BE(at), Math.floor((to - at - 4) / entryBytes), MAX_LISTED_FRAMES))
}

/** @returns the byte range of each sample, from the tables of sizes (`stsz`), of samples per chunk (`stsc`), and of chunk offsets (`stco`). */
function rangesOf(file: Buffer, sizes: Box | undefined, runs: Box | undefined, chunks: Box | undefined): ByteRange[] {
  if (sizes === undefined || runs === undefined || chunks === undefined) return []
  const common = file.readUInt32BE(sizes.from + 4)
  const samples =
    common === 0 ? entriesIn(file, sizes, sizes.from + 8, 4) : Math.min(file.readUInt32BE(sizes.from + 8), MAX_LISTED_FRAMES)
  const offsetBytes = chunks.type === 'co64' ? 8 : 4
  const chunkCount = entriesIn(file, chunks, chunks.from + 4, offsetBytes)
  const runCount = entriesIn(file, runs, runs.from + 4, 12)
  const ranges: ByteRange[] = []
  let run = 0
  for (let chunk = 0; chunk < chunkCount && ranges.length < samples; chunk++) {
    const nextRun = runs.from + 8 + 12 * (run + 1)
    if (run + 1 < runCount && file.readUInt32BE(nextRun) <= chunk + 1) run++
    const inChunk = runCount === 0 ? 0 : file.readUInt32BE(runs.from + 8 + 12 * run + 4)
    const at = chunks.from + 8 + offsetBytes * chunk
    let offset = offsetBytes === 8 ? Number(file.readBigUInt64BE(at)) : file.readUInt32BE(at)
    for (let i = 0; i < inChunk && ranges.length < samples; i++) {
      const size = common === 0 ? file.readUInt32BE(sizes.from + 12 + 4 * ranges.length) : common
      ranges.push([offset, offset + size])
      offset += size
    }
  }
  return ranges
}

function durationsOf(file: Buffer, table: Box | undefined, samples: number): number[] {
  const durations: number[] = []
  if (table === undefined) return durations
  const entries = entriesIn(file, table, table.from + 4, 8)
  for (let entry = 0; entry < entries; entry++) {
    const at = table.from + 8 + 8 * entry
    const count = Math.min(file.readUInt32BE(at), samples - durations.length)
    for (let i = 0; i < count; i++) durations.push(file.readUInt32BE(at + 4))
  }
  return durations
}

/** @returns `undefined` if all samples are sync samples. */
function syncsOf(file: Buffer, table: Box | undefined): Set<number> | undefined {
  if (table === undefined) return undefined
  const entries = entriesIn(file, table, table.from + 4, 4)
  return new Set(Array.from({ length: entries }, (_, entry) => file.readUInt32BE(table.from + 8 + 4 * entry) - 1))
}
