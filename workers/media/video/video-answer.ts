// Writes the answer of the child that hashes a video, as JSON.

import { formatHash } from '../../../packages/hash/src/hash256.js'
import type { VideoSignals } from '../../../packages/hash/src/video-frames.js'
import type { ProblemCode } from '../../../src/domain/problem.js'

/** Problems that a child may report. */
export const VIDEO_PROBLEMS = [
  'media-unsupported',
  'video-undecodable',
  'video-too-long',
  'video-too-large',
  'hashing-unavailable',
] as const satisfies readonly ProblemCode[]
export type VideoProblem = (typeof VIDEO_PROBLEMS)[number]

/** The first message: the program runs, and has read nothing of a file yet. */
export const READER_GREETING = Buffer.from('ready')

export function formatVideo({ frames, ...facts }: VideoSignals, isKeyFramesOnly: boolean): string {
  const written = frames.map((frame) => ({
    ...frame,
    signals: frame.signals.map((signal) => ({ ...signal, hashes: signal.hashes.map(formatHash) })),
  }))
  return JSON.stringify({
    video: { ...facts, frames: written, ...(isKeyFramesOnly && { isKeyFramesOnly }) },
  })
}
