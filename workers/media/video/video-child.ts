// The program of a sandboxed child process that hashes one video: reads the file from a socket, sends its packets through a decoder at the other end
// of a second socket, and writes hashes to the first. It has no other file, network or secret.

import { loadImageHasherSync } from '../../../packages/hash/src/image-hasher.js'
import type { Pixels } from '../../../packages/hash/src/pixels.js'
import { createVideoHasher, FRAME_INTERVAL_MS, type VideoHasher } from '../../../packages/hash/src/video-frames.js'
import { MAX_VIDEO_BYTES } from '../../../src/domain/media/video-limits.js'
import { Problem } from '../../../src/domain/problem.js'
import { openFrames, VIDEO_PURPOSE_BYTES, writeFrame } from '../../frames.js'
import { ranOutOfMemory } from '../out-of-memory.js'
import { openVideo } from './demux.js'
import { createPace } from './pace.js'
import { type ShownAt, throughDecoder } from './through-decoder.js'
import { formatVideo, READER_GREETING, VIDEO_PROBLEMS } from './video-answer.js'
import { createVpdqHasher } from './vpdq-hasher.js'

const CHANNEL_FD = 3
const DECODER_FD = 4

const pace = createPace()
let isStarted = false
const channel = openFrames(CHANNEL_FD, 1 + MAX_VIDEO_BYTES, (message) => {
  if (isStarted) {
    pace.used(message.readUInt32BE())
    return
  }
  isStarted = true
  answerFor(message)
    .then((answer) => writeFrame(channel, Buffer.from(answer)))
    .finally(() => message.fill(0))
})
channel.on('end', () => process.exit(0)) // the parent has exited
channel.on('error', () => process.exit(0))
writeFrame(channel, READER_GREETING)

/** @param message a byte with the purpose, then the file. @returns JSON. Never throws. */
async function answerFor(message: Buffer): Promise<string> {
  try {
    const video = await openVideo(message.subarray(1))
    writeFrame(channel, Buffer.from(JSON.stringify({ facts: video.facts })))
    const hasher = hasherFor(message[0])
    const frames = createFrameFeed(hasher)
    const durationMs = await throughDecoder(DECODER_FD, video, pace, frames.take).finally(frames.wipe)
    return formatVideo(hasher.result(durationMs), pace.isKeyFramesOnly)
  } catch (error) {
    const known = VIDEO_PROBLEMS.find((code) => error instanceof Problem && error.code === code)
    return JSON.stringify({ problem: known ?? (ranOutOfMemory(error) ? 'hashing-unavailable' : 'video-undecodable') })
  }
}

/** Hands frames to the hasher. Of those between two, which only registrations get, it keeps a copy until the next one shows whether it is wanted. */
function createFrameFeed(hasher: VideoHasher) {
  let copy = new Uint8Array()
  let copiedMs = -1
  return {
    take({ atMs, sampledMs }: ShownAt, pixels: Pixels, aspect: number): void {
      if (atMs < sampledMs || atMs % FRAME_INTERVAL_MS === 0) {
        hasher.add(atMs, pixels, aspect)
        if (hasher.betweenMs === copiedMs) hasher.addBetween({ ...pixels, data: copy }, aspect)
      } else {
        if (copy.length !== pixels.data.length) copy = new Uint8Array(pixels.data.length)
        copy.set(pixels.data)
        copiedMs = atMs
      }
    },
    wipe: () => copy.fill(0),
  }
}

function hasherFor(purpose: number | undefined): VideoHasher {
  const hasher = loadImageHasherSync()
  if (purpose === VIDEO_PURPOSE_BYTES.vpdq) return createVpdqHasher(hasher)
  return createVideoHasher(hasher, purpose === VIDEO_PURPOSE_BYTES.query ? 'query' : 'register')
}
