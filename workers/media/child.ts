// The sandbox's program: pictures in on a socket, hashes out. It has nothing else, and wants nothing else.

import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net'
import { formatAnswer, type HandoffAnswer } from '../../src/handoff/message.js'
import { confinesHere } from '../confines.js'
import { DETAILS_BITS, frameReader, PURPOSE_BYTES, writeFrame } from '../frames.js'
import { collectAtOnce, collectEvery } from '../heap.js'
import { answerFor } from './answer.js'

const CHANNEL_FD = 3
const MAX_IMAGE_BYTES = 1 << 30
const READ_BYTES = 1 << 16

collectAtOnce()
const collectNowAndThen = collectEvery(256)
// Into one buffer, which is overwritten: of a short read, Node copies what came and leaves the first copy in freed memory.
const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
const options: SocketConstructorOpts & { readonly onread: OnReadOpts } = {
  ...{ fd: CHANNEL_FD, readable: true, writable: true },
  onread: {
    buffer,
    callback(length) {
      take(buffer.subarray(0, length))
      return true
    },
  },
}
const channel = new Socket(options)
channel.on('end', () => process.exit(0)) // the parent is gone
channel.on('error', () => process.exit(0))

const take = frameReader(MAX_IMAGE_BYTES, hash, () => channel.destroy())

function hash(image: Buffer): void {
  const order = image[0] ?? 0
  const purpose = (order & PURPOSE_BYTES.query) === 0 ? 'register' : 'query'
  answerFor(image.subarray(1), purpose, (order & DETAILS_BITS.also) === 0 ? 'none' : 'also')
    .catch((): HandoffAnswer => ({ problem: 'image-undecodable' }))
    .then((answer) => writeFrame(channel, Buffer.from(formatAnswer(answer))))
    .finally(() => {
      image.fill(0)
      collectNowAndThen()
    })
}
writeFrame(channel, Buffer.from(`ready ${JSON.stringify(confinesHere())}`))
