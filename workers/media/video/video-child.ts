// The program of a sandboxed child process that hashes one video: reads the file from a socket, sends its packets through a decoder at the other end
// of a second socket, and writes hashes to the first. It has no other file, network or secret.

import { loadImageHasherSync } from '../../../packages/hash/src/image-hasher.js'
import { createVideoHasher, type VideoHasher } from '../../../packages/hash/src/video-frames.js'
import { MAX_VIDEO_BYTES } from '../../../src/domain/media/video-limits.js'
import { Problem } from '../../../src/domain/problem.js'
import { openFrames, VIDEO_PURPOSE_BYTES, writeFrame } from '../../frames.js'
import { ranOutOfMemory } from '../out-of-memory.js'
import { openVideo } from './demux.js'
import { createPace } from './pace.js'
import { throughDecoder } from './through-decoder.js'
import { formatVideo, VIDEO_PROBLEMS } from './video-answer.js'
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

/** @param message a byte with the purpose, then the file. @returns JSON. Never throws. */
async function answerFor(message: Buffer): Promise<string> {
  try {
    const video = await openVideo(message.subarray(1))
    writeFrame(channel, Buffer.from(JSON.stringify({ facts: video.facts })))
    const hasher = hasherFor(message[0])
    const durationMs = await throughDecoder(DECODER_FD, video, pace, (atMs, pixels, aspect) => {
      if (atMs >= hasher.nextMs) hasher.add(atMs, pixels, aspect)
    })
    return formatVideo(hasher.result(durationMs), pace.isKeyFramesOnly)
  } catch (error) {
    const known = VIDEO_PROBLEMS.find((code) => error instanceof Problem && error.code === code)
    return JSON.stringify({ problem: known ?? (ranOutOfMemory(error) ? 'hashing-unavailable' : 'video-undecodable') })
  }
}

function hasherFor(purpose: number | undefined): VideoHasher {
  const hasher = loadImageHasherSync()
  if (purpose === VIDEO_PURPOSE_BYTES.vpdq) return createVpdqHasher(hasher)
  return createVideoHasher(hasher, purpose === VIDEO_PURPOSE_BYTES.query ? 'query' : 'register')
}
