// Sends a video through the decoder at the other end of a socket: packets out, grey frames back.

import { once } from 'node:events'
import { type ConnectOpts, Socket, type SocketConstructorOpts } from 'node:net'
import type { Pixels } from '../../../packages/hash/src/pixels.js'
import { FRAME_INTERVAL_MS, MAX_VIDEO_MS } from '../../../packages/hash/src/video-frames.js'
import { Problem } from '../../../src/domain/problem.js'
import type { OpenedVideo } from './demux.js'
import { createFrameReader } from './matroska-frames.js'
import { matroskaHeader, packetHead } from './matroska-writer.js'
import type { Pace } from './pace.js'
import { STREAM_SHIFT_MS } from './video-facts.js'

const READ_BYTES = 1 << 16

/** When a decoded frame is shown. */
export interface ShownAt {
  readonly atMs: number
  /** The time for which the decoder gave it: `atMs`, or a later time at which another frame is shown that was not decoded. */
  readonly sampledMs: number
}

/**
 * @param fd a socket whose other end the decoder reads and writes.
 * @param onFrame called with each frame, by ascending `sampledMs`. The pixels are overwritten afterwards.
 * @returns the duration [ms]: the end of the last packet, or the duration of the container if that is longer.
 * @throws {Problem} as `packets` of `video` does; `video-undecodable` when the decoder returns no frames.
 */
export async function throughDecoder(
  fd: number,
  video: OpenedVideo,
  pace: Pace,
  onFrame: (at: ShownAt, pixels: Pixels, aspect: number) => void,
): Promise<number> {
  const { facts } = video
  const isUpright = facts.rotation % 180 === 0
  const [width, height] = isUpright ? [facts.width, facts.height] : [facts.height, facts.width]
  const aspect = isUpright ? video.aspect : 1 / video.aspect
  let frames = 0
  let lastMs = -1
  const sent = { isAll: false, lastMs: 0, endMs: 0 }
  const reader = createFrameReader(width * height, (streamMs, data) => {
    const sampledMs = streamMs - STREAM_SHIFT_MS
    if (sampledMs <= lastMs || sampledMs > MAX_VIDEO_MS) return
    lastMs = sampledMs
    pace.reached(sampledMs)
    const atMs = pace.shownMs(sampledMs)
    if (atMs === undefined) return
    if (sent.isAll && frames > 0 && atMs > sent.lastMs && atMs >= sent.endMs) return // the video has ended
    frames++
    onFrame({ atMs, sampledMs }, { data, width, height, channels: 1 }, aspect)
  })
  const link = openLink(fd, reader.take)
  try {
    await send(video, link.socket, pace, sent)
    link.socket.end()
    await link.ended
    if (!reader.isWhole || frames === 0) throw new Problem('video-undecodable')
    return Math.max(sent.endMs, facts.durationMs)
  } finally {
    reader.wipe()
    link.socket.destroy()
  }
}

/** Opens the socket. Reads into one buffer, which is overwritten after each read. */
function openLink(fd: number, take: (chunk: Uint8Array) => void) {
  let fail = (_: unknown) => {}
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
  const callback = (bytes: number): boolean => {
    try {
      take(buffer.subarray(0, bytes))
    } catch {
      fail(new Problem('video-undecodable'))
    }
    buffer.fill(0, 0, bytes)
    return true
  }
  // Node accepts `onread` here as in `net.connect`, although its types do not have it.
  const options: SocketConstructorOpts & Pick<ConnectOpts, 'onread'> = {
    fd,
    readable: true,
    writable: true,
    allowHalfOpen: true,
    onread: { buffer, callback },
  }
  const socket = new Socket(options)
  const ended = new Promise<void>((resolve, reject) => {
    fail = reject
    socket.once('end', resolve).once('close', resolve)
  })
  ended.catch(() => socket.destroy())
  socket.on('error', () => {}) // 'close' follows
  socket.resume()
  return { socket, ended }
}

/** What has been sent of a video: when its last packet starts, and when it ends. */
interface Sent {
  isAll: boolean
  lastMs: number
  endMs: number
}

/** Sends the packets that the pace takes. Stops when the decoder has closed the socket. */
async function send(video: OpenedVideo, socket: Socket, pace: Pace, sent: Sent): Promise<void> {
  socket.write(matroskaHeader({ codec: video.facts.codec, ...video.size, description: video.description }))
  for await (const { atMs, endMs, isKey, bytes } of video.packets()) {
    sent.lastMs = Math.max(sent.lastMs, atMs)
    sent.endMs = Math.max(sent.endMs, endMs)
    if (socket.destroyed) break
    if (!pace.shouldDecode({ atMs, isKey })) continue
    socket.write(packetHead(atMs + STREAM_SHIFT_MS, isKey ? FRAME_INTERVAL_MS : undefined, bytes.length))
    if (socket.write(bytes) || socket.destroyed) continue
    await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => {})
  }
  sent.isAll = true
}
