// Videos of a case, sent line by line as exports have them, so that a long one needs no body of its size.

import { Readable } from 'node:stream'
import { z } from 'zod'
import { formatSignalHash } from '../../../../packages/core/src/matching/hash-text.js'
import type { NewSignal } from '../../../domain/organisations/bank-change.js'
import { Problem } from '../../../domain/problem.js'
import { createJsonReader, NextLine, SignalLine } from '../../../exchange/json-signals.js'
import type { LinedRecord } from '../../../exchange/record-reader.js'
import { MAX_SHORT_LINE_CHARS, readLines } from '../../../exchange/text-lines.js'
import { DurationMs, GivenVideo } from '../../given-videos.js'

/** Twenty of the longest videos: a new case has room for five. */
export const MAX_LINES_BYTES = 32 << 20
/** The same number as in a JSON body. */
export const MAX_VIDEOS = 100

/** For the description. Other fields of an export are ignored. */
export const VideoLine = SignalLine.pick({ type: true, hash: true, quality: true, category: true, lines: true })
  .extend({ video: z.object({ durationMs: DurationMs }), signals: SignalLine.shape.signals.unwrap() })
  .meta({
    description:
      'The first line of a video: `type` and `hash` are those of one of its frames as a whole; `signals` the first 200 at most, those of frames with `atMs`; `lines` says how many lines it has, if several.',
  })
  .or(NextLine.omit({ signalId: true }).meta({ description: 'The next line of the same video, counted from 2.' }))

export interface LinedVideo {
  /** Counted from 1: the last line of the video, or the line that is refused. */
  readonly line: number
  readonly video: z.infer<typeof GivenVideo> | Problem
}

/**
 * Yields each complete video, and one refusal for each broken one. Memory: the signals of one video.
 * @param yielder yields to the event loop when needed.
 * @param onLine called with each line before it is used; `undefined` if it is too long.
 * @throws {Problem} upload-incomplete if the body breaks off; body-too-large beyond `MAX_LINES_BYTES`.
 */
export async function* videosIn(
  body: AsyncIterable<unknown>,
  yielder: () => Promise<void> | undefined,
  onLine: (text: string | undefined) => void = () => {},
): AsyncGenerator<LinedVideo> {
  const reader = createJsonReader()
  let count = 0
  let last = 0
  /** Later lines of a refused video belong to no record. They are not refused again. */
  let isAfterRefusal = false

  function* shown(records: readonly LinedRecord[], wasOpen: boolean): Generator<LinedVideo> {
    const [found] = records.slice(-1) // a broken line also ends the record that it is in, which says less
    if (found === undefined || found.record.kind === 'blank') return
    const { line, record } = found
    const isRefused = record.kind === 'rejected'
    if (isRefused && record.why === 'record-incomplete' && isAfterRefusal && !wasOpen) return
    isAfterRefusal = isRefused
    const video = toVideo(record)
    const place = `#/videos/${count++}`
    yield { line, video: typeof video === 'string' ? refusal(video, place, line) : video }
  }

  for await (const lines of readLines(limited(body), MAX_SHORT_LINE_CHARS)) {
    for (const { line, text } of lines) {
      const pause = yielder()
      if (pause !== undefined) await pause
      const wasOpen = reader.openFrom !== undefined
      last = line
      onLine(text)
      yield* shown(reader.read(text, line), wasOpen)
      if (reader.openFrom === line) isAfterRefusal = false
    }
  }
  yield* shown(reader.end(last), true)
}

/** Leaves the body open when the reader stops midway: destroying it would close the connection before the answer is sent. */
async function* limited(body: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  let bytes = 0
  for await (const chunk of body instanceof Readable ? body.iterator({ destroyOnReturn: false }) : body) {
    if (Buffer.isBuffer(chunk)) bytes += chunk.length
    if (bytes > MAX_LINES_BYTES) throw new Problem('body-too-large')
    yield chunk
  }
}

/** @returns the video as in a JSON body, or why it is refused. */
function toVideo(record: LinedRecord['record']): z.infer<typeof GivenVideo> | string {
  if (record.kind === 'rejected') return record.why
  if (record.kind !== 'put') return 'only videos can be added'
  const given = givenFrom(record.signal)
  if (given === undefined) return 'only videos can be added'
  const parsed = GivenVideo.safeParse(given)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  return `${issue?.path.join('/')} ${issue?.message}`.trim()
}

/** The video as in a JSON body, so that the same schema validates both. */
function givenFrom({ picture = [], video, category }: NewSignal): unknown {
  if (video === undefined) return undefined
  const frames = video.framesAtMs.map((atMs) => ({ atMs, signals: [] as object[] }))
  const file: Record<string, string> = {}
  for (const { type, view, quality, hash: bits, frame } of picture) {
    const hash = formatSignalHash(type, bits)
    if (frame === undefined) file[type === 'video_md5' ? 'md5' : type] = hash
    else frames[frame]?.signals.push({ type, view, quality, hash })
  }
  return { durationMs: video.durationMs, frames, ...file, ...(category !== undefined && { category }) }
}

/** @param why a fixed text, which never quotes the line. */
function refusal(why: string, pointer: string, line: number): Problem {
  const code = why === 'minor-declared' || why === 'quality-too-low' || why === 'hash-improbable' ? why : 'request-invalid'
  return new Problem(code, { errors: [{ pointer, detail: `line ${line}: ${why}` }] })
}
