// Server-Sent Events (WHATWG HTML, section 9.2). A client that does not read cannot make the process buffer without bound.

import { Readable } from 'node:stream'
import { createConnectionSlots } from './connection-slots.js'

export interface SentEvent {
  readonly id: string
  readonly event: string
  /** Written as JSON. */
  readonly data: object
}

export interface EventStreamLimits {
  /** Maximum buffer of one stream. Beyond it the stream is cut, and the client reconnects with `Last-Event-ID`. */
  readonly maxWaitingBytes: number
  /** Maximum number of streams in this process. */
  readonly maxStreams: number
  /** Maximum streams of one owner and of one address. Beyond it the owner's oldest stream ends. */
  readonly maxPerOwner: number
  readonly maxPerAddress: number
  /** An SSE comment is sent this often, so that proxies keep the connection. */
  readonly heartbeatIntervalMs: number
  /** Maximum duration. Then the client reconnects, so a stream outlives its token only briefly. */
  readonly endsAfterMs: number
}

export const EVENT_STREAM_LIMITS: EventStreamLimits = {
  maxWaitingBytes: 64 * 1024,
  maxStreams: 5000,
  maxPerOwner: 20,
  maxPerAddress: 100,
  heartbeatIntervalMs: 15_000,
  endsAfterMs: 3_600_000,
}

/** Whether the client accepts Server-Sent Events. Then they are sent instead of JSON. */
export function wantsEvents(accept: string | undefined): boolean {
  return accept !== undefined && /(^|[ ,])text\/event-stream([ ;,]|$)/.test(accept)
}

export interface EventStreams {
  /**
   * @param follow starts following and gets functions that send an event and end the stream. @returns a function that stops it.
   * @param address of the client. Forgotten when the stream ends.
   * @throws {Problem} overloaded
   */
  open(owner: string, address: string, follow: (send: (event: SentEvent) => void, end: () => void) => () => void): Readable
  /** Ends all streams, when the process stops. */
  close(): void
}

export function eventStreams(limits: EventStreamLimits = EVENT_STREAM_LIMITS): EventStreams {
  const open = new Map<Readable, () => void>()
  const slots = createConnectionSlots({ max: limits.maxStreams, maxPerOwner: [limits.maxPerOwner, limits.maxPerAddress] })
  return {
    open(owner, address, follow) {
      const leave = slots.acquire([owner, address], () => end())
      const stream = new Readable({ read() {} })
      let hasEnded = false
      const write = (text: string) => {
        if (hasEnded) return
        stream.push(text)
        if (stream.readableLength > limits.maxWaitingBytes) stream.destroy()
        hasEnded = stream.destroyed
      }
      const end = () => {
        if (!hasEnded) stream.push(null)
        release()
      }
      open.set(stream, end)
      const heartbeat = setInterval(() => write(':\n\n'), limits.heartbeatIntervalMs)
      const last = setTimeout(end, limits.endsAfterMs)
      write(`retry: ${RETRY_AFTER_S * 1000}\n\n`)
      let stop = () => {}
      const release = () => {
        hasEnded = true
        if (!open.delete(stream)) return
        leave()
        stop()
        clearInterval(heartbeat)
        clearTimeout(last)
      }
      stream.once('close', release)
      stop = follow(({ id, event, data }) => write(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`), end)
      return stream
    },
    close() {
      for (const end of [...open.values()]) end()
    },
  }
}

const RETRY_AFTER_S = 3
