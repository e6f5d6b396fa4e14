// The program of a sandboxed child process: reads pictures from a socket and writes hashes to it. It has no other file, network or secret.

import { leaveUnread, unreadWith } from '../../src/domain/media/media-formats.js'
import { formatAnswer, type HandoffAnswer } from '../../src/handoff/message.js'
import { DETAILS_BITS, HEIC_OFF, openFrames, PURPOSE_BYTES, writeFrame } from '../frames.js'
import { collectAtOnce, collectEvery } from '../heap.js'
import { isolationHere } from '../isolation-here.js'
import { answerFor } from './answer.js'
import { exitOnUncaught, ranOutOfMemory } from './out-of-memory.js'
import { onceIdle, optimiseLater, warmUp } from './warm-up.js'

const CHANNEL_FD = 3
const MAX_IMAGE_BYTES = 1 << 30
/** The child warms up after it was idle for this long. So this delays neither the start of a service nor a queue of pictures. */
const IDLE_MS = 10_000

leaveUnread(unreadWith({ heic: process.argv.includes(HEIC_OFF) ? 'off' : 'on' }))
collectAtOnce()
exitOnUncaught()
optimiseLater()
const collectNowAndThen = collectEvery(256)
const idleness = onceIdle(
  () => warmUp().then(collectEvery(1)), // frees the memory that the decoders used
  (ring) => {
    const timer = setTimeout(ring, IDLE_MS)
    return () => clearTimeout(timer)
  },
)
const channel = openFrames(CHANNEL_FD, MAX_IMAGE_BYTES, (image) => {
  idleness.begin()
  const order = image[0] ?? 0
  const purpose = (order & PURPOSE_BYTES.query) === 0 ? 'register' : 'query'
  answerFor(image.subarray(1), purpose, (order & DETAILS_BITS.also) === 0 ? 'none' : 'also')
    .catch((error): HandoffAnswer => ({ problem: ranOutOfMemory(error) ? 'hashing-unavailable' : 'image-undecodable' }))
    .then((answer) => writeFrame(channel, Buffer.from(formatAnswer(answer))))
    .finally(() => {
      image.fill(0)
      collectNowAndThen()
      idleness.end()
    })
})
channel.on('end', () => process.exit(0)) // the parent has exited
channel.on('error', () => process.exit(0))
writeFrame(channel, Buffer.from(`ready ${JSON.stringify(isolationHere())}`))
idleness.end()
