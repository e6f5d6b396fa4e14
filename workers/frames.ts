// Messages on a byte stream: 4 bytes of length, big-endian, then the message.

import { type ConnectOpts, Socket, type SocketConstructorOpts } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import type { DetailsWanted, JobPurpose } from '../src/jobs/hash-image-job.js'
import type { VideoPurpose } from '../src/jobs/hash-video-job.js'

const HEAD_BYTES = 4
const READ_BYTES = 1 << 16

/** The first byte of a picture's message: the purpose of hashing, and whether details are wanted as well. */
export const PURPOSE_BYTES = { submission: 0, query: 1 } as const satisfies Record<JobPurpose, number>
/** The same of a video's. */
export const VIDEO_PURPOSE_BYTES = { ...PURPOSE_BYTES, vpdq: 2 } as const satisfies Record<VideoPurpose, number>
export const DETAILS_BITS = { none: 0, also: 2 } as const satisfies Record<DetailsWanted, number>

/** The argument with which a child is told that HEIC is not read. */
export const HEIC_OFF = '--heic=off'

/** Writes one message, given in one or several pieces. */
export function writeFrame(stream: Writable, ...message: readonly Uint8Array[]): void {
  const head = Buffer.alloc(HEAD_BYTES)
  head.writeUInt32BE(message.reduce((sum, { length }) => sum + length, 0))
  stream.cork()
  stream.write(head)
  for (const piece of message) stream.write(piece)
  stream.uncork()
}

/**
 * Reads messages from an open file descriptor, all into one buffer that is overwritten after each read. Node's own reads take a new buffer each and
 * copy a short read into a smaller one: what the larger one held would stay in freed memory.
 */
export function openFrames(fd: number, maxBytes: number, onFrame: (message: Buffer) => void): Socket {
  const callback = (bytes: number, buffer: Uint8Array): boolean => {
    take(Buffer.from(buffer.buffer, buffer.byteOffset, bytes))
    return true
  }
  // Node takes `onread` here as it does in `net.connect`; its types do not know.
  const options: SocketConstructorOpts & Pick<ConnectOpts, 'onread'> = {
    fd,
    readable: true,
    writable: true,
    onread: { buffer: Buffer.allocUnsafeSlow(READ_BYTES), callback },
  }
  const channel = new Socket(options)
  const take = frameReader(maxBytes, onFrame, () => channel.destroy())
  return channel.resume()
}

/**
 * Calls `onFrame` with each whole message. `onFrame` owns those bytes and overwrites them. Chunks of the stream are overwritten once they are copied.
 * A message longer than `maxBytes` destroys the stream.
 */
export function readFrames(stream: Readable, maxBytes: number, onFrame: (message: Buffer) => void): void {
  stream.on(
    'data',
    frameReader(maxBytes, onFrame, () => stream.destroy()),
  )
}

/** Takes chunk after chunk, and overwrites each once it is copied. */
function frameReader(maxBytes: number, onFrame: (message: Buffer) => void, onTooLong: () => void): (chunk: Buffer) => void {
  const head = Buffer.alloc(HEAD_BYTES)
  let headFilled = 0
  let message: Buffer | undefined
  let filled = 0

  return (chunk) => {
    for (let at = 0; at < chunk.length || (message !== undefined && filled === message.length); ) {
      if (message === undefined) {
        const taken = chunk.copy(head, headFilled, at)
        at += taken
        headFilled += taken
        if (headFilled < HEAD_BYTES) continue
        if (head.readUInt32BE() > maxBytes) {
          chunk.fill(0)
          onTooLong()
          return
        }
        message = Buffer.allocUnsafeSlow(head.readUInt32BE())
        filled = 0
        headFilled = 0
      }
      const taken = chunk.copy(message, filled, at)
      at += taken
      filled += taken
      if (filled < message.length) continue
      const whole = message
      message = undefined
      onFrame(whole)
    }
    chunk.fill(0)
  }
}
