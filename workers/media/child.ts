// The sandbox's program: pictures in on a socket, hashes out. It has nothing else, and wants nothing else.

import { Socket } from 'node:net'
import { formatAnswer, type HandoffAnswer } from '../../src/handoff/message.js'
import { PURPOSE_BYTES, readFrames, writeFrame } from '../frames.js'
import { collectAtOnce } from '../heap.js'
import { answerFor } from './answer.js'

const CHANNEL_FD = 3
const MAX_IMAGE_BYTES = 1 << 30

collectAtOnce()
const channel = new Socket({ fd: CHANNEL_FD, readable: true, writable: true })
channel.on('end', () => process.exit(0)) // the parent is gone
channel.on('error', () => process.exit(0))

readFrames(channel, MAX_IMAGE_BYTES, (image) => {
  answerFor(image.subarray(1), image[0] === PURPOSE_BYTES.query ? 'query' : 'register')
    .catch((): HandoffAnswer => ({ problem: 'image-undecodable' }))
    .then((answer) => writeFrame(channel, Buffer.from(formatAnswer(answer))))
    .finally(() => image.fill(0))
})
writeFrame(channel, Buffer.from('ready'))
