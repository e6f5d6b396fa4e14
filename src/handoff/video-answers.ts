// A worker's answer about a video: lines of JSON on the private listener. The first line has the facts of the video, or the code of a problem; each
// other line has a frame. So the api reads thousands of hashes in many short steps, and other requests run in between.

import { z } from 'zod'
import type { HashedVideo, HashedVideoFile } from '../../packages/core/src/matching/hashed-image.js'
import { formatHash, parseHash } from '../../packages/hash/src/hash256.js'
import type { ProblemCode } from '../domain/problem.js'
import { IGNORING_MORE, MAX_VIDEO_FRAMES, VIDEO_FACTS_MESSAGE, videoFrameMessage } from './frame-message.js'

/** Problems that hashing a video may report. */
export const VIDEO_HANDOFF_PROBLEMS = [
  'media-unsupported',
  'video-undecodable',
  'video-too-long',
  'video-too-large',
  'video-unavailable',
  'hashing-unavailable',
] as const satisfies readonly ProblemCode[]
export type VideoHandoffProblem = (typeof VIDEO_HANDOFF_PROBLEMS)[number]

export type VideoHandoffAnswer = VideoCost &
  ({ readonly video: HashedVideoFile } | { readonly problem: VideoHandoffProblem })

export interface VideoCost {
  /** Processor time of the children that hashed it [ms], of sound and refused videos. */
  readonly costMs: number
}

/** More than any video may take. */
export const MAX_COST_MS = 3_600_000
const costMs = z.int().min(0).max(MAX_COST_MS)

const MAX_LINE_CHARS = 1 << 16

const Head = z.union([
  z.object({ problem: z.enum(VIDEO_HANDOFF_PROBLEMS), costMs }),
  z.object({
    ...VIDEO_FACTS_MESSAGE,
    costMs,
    frames: z.int().min(0).max(MAX_VIDEO_FRAMES),
    sha256: z.string(),
    md5: z.string().regex(/^[0-9a-f]{32}$/),
  }),
])

const Frame = videoFrameMessage(IGNORING_MORE)

export function* formatVideoAnswer(answer: VideoHandoffAnswer): Generator<string, void, void> {
  if ('problem' in answer) {
    yield `${JSON.stringify({ problem: answer.problem, costMs: answer.costMs })}\n`
    return
  }
  const { frames, file, ...facts } = answer.video
  const { costMs } = answer
  yield `${JSON.stringify({ ...facts, costMs, frames: frames.length, sha256: formatHash(file.sha256), md5: file.md5 })}\n`
  for (const frame of frames) {
    const signals = frame.signals.map((signal) => ({ ...signal, hashes: signal.hashes.map(formatHash) }))
    yield `${JSON.stringify({ ...frame, signals })}\n`
  }
}

/**
 * Reads an answer as it arrives.
 * @throws {Error} when it is not a valid answer. The two sides have different versions, or a file has taken control of a decoder: never log it.
 */
export async function readVideoAnswer(body: AsyncIterable<unknown>): Promise<VideoHandoffAnswer> {
  let head: z.infer<typeof Head> | undefined
  const frames: HashedVideo['frames'][number][] = []
  for await (const line of linesOf(body)) {
    if (head === undefined) {
      head = Head.parse(JSON.parse(line))
      continue
    }
    const frame = Frame.parse(JSON.parse(line))
    if (frames.length === MAX_VIDEO_FRAMES || frame.atMs <= (frames.at(-1)?.atMs ?? -1))
      throw new Error('frames are not in order')
    frames.push(frame)
  }
  if (head === undefined) throw new Error('the answer is empty')
  if ('problem' in head) {
    if (frames.length > 0) throw new Error('a problem has no frames')
    return head
  }
  const { sha256: text, md5, frames: count, costMs, ...facts } = head
  const sha256 = parseHash(text)
  if (sha256 === undefined || count !== frames.length) throw new Error('the answer is not whole')
  return { costMs, video: { ...facts, frames, file: { sha256, md5 } } }
}

async function* linesOf(body: AsyncIterable<unknown>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of body) {
    if (!Buffer.isBuffer(chunk)) throw new Error('a request without an encoding yields Buffers')
    rest += chunk.toString('latin1') // an answer is ASCII
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      yield rest.slice(0, end)
      rest = rest.slice(end + 1)
    }
    if (rest.length > MAX_LINE_CHARS) throw new Error('a line is too long')
  }
  if (rest !== '') throw new Error('the last line is not whole')
}
