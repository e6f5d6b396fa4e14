// Files of vPDQ: a line for each frame of a video, or a line of JSON for each video.

import type { RecordRejection } from '../domain/organisations/bank-import.js'
import { rejected } from './given-signal.js'
import type { LinedRecord, RecordReader } from './record-reader.js'
import { createVpdqFrames, isVpdqJson, newSignalOf, readVpdqJson, type VpdqFrame, type VpdqFrames } from './vpdq.js'

/** Ten minutes with 60 frames a second have fewer. */
const MAX_VIDEO_LINES = 40_000

export function isVpdq(first: string): boolean {
  return isVpdqJson(first) || numberedFrame(first) !== undefined
}

/**
 * A file has one video, or several: a new one begins where frame numbers do not ascend. A rejected line loses only its own frame. Memory: the
 * frames of a video.
 */
export function createVpdqReader(): RecordReader {
  let open:
    | { readonly from: number; readonly frames: VpdqFrames; number: number; lines: number; isRefused: boolean }
    | undefined

  function ended(line: number): LinedRecord[] {
    const video = open?.isRefused === false ? open.frames.video() : undefined
    open = undefined
    return video === undefined ? [] : [{ line, record: { kind: 'put', signal: newSignalOf(video, {}) } }]
  }

  function added(number: number, frame: VpdqFrame, line: number): LinedRecord[] {
    const before = open === undefined || number <= open.number ? ended(line - 1) : []
    open ??= { from: line, frames: createVpdqFrames(), number, lines: 0, isRefused: false }
    open.number = number
    open.lines++
    if (open.isRefused) return before
    const why = open.lines > MAX_VIDEO_LINES ? 'record-too-long' : open.frames.add(frame)
    open.isRefused = why === 'record-too-long'
    return why === undefined ? before : [...before, { line, record: rejected(why) }]
  }

  function bad(why: RecordRejection, line: number): LinedRecord[] {
    if (open === undefined) return [{ line, record: rejected(why) }]
    if (open.isRefused) return []
    open.isRefused = ++open.lines > MAX_VIDEO_LINES // an import keeps all refusals of an open video
    return [{ line, record: rejected(open.isRefused ? 'record-too-long' : why) }]
  }

  return {
    get openFrom() {
      return open?.from
    },
    read(text, line) {
      if (text === '') return []
      if (text === undefined) return bad('record-too-long', line)
      if (text.startsWith('[') || text.startsWith('{')) {
        const video = readVpdqJson(text)
        const record = typeof video === 'string' ? rejected(video) : { kind: 'put' as const, signal: newSignalOf(video, {}) }
        return [...ended(line - 1), { line, record }]
      }
      const found = numberedFrame(text)
      return found === undefined ? bad('record-unreadable', line) : added(found.number, found.frame, line)
    },
    end: ended,
  }
}

/** `frame,quality,hash,seconds` as vPDQ's program writes it, or `frame,hash,quality,seconds` as its Python examples do. */
function numberedFrame(text: string): { readonly number: number; readonly frame: VpdqFrame } | undefined {
  if (text.length > 200) return undefined
  const [number = '', second = '', third = '', time = '', ...others] = text.split(',').map((field) => field.trim())
  if (!/^\d{1,9}$/.test(number) || time === '' || others.length > 0) return undefined
  const [quality, hash] = second.length > third.length ? [third, second] : [second, third]
  return { number: Number(number), frame: { hash, quality, time } }
}
