// Server-Sent Events (WHATWG HTML, section 9.2): a stream that never waits for a listener that does not read.

import { Readable } from 'node:stream'
import { createConnectionSlots } from './connection-slots.js'

export interface SentEvent {
  readonly id: string
  readonly event: string
  /** Written as JSON. */
  readonly data: object
}

export interface EventStreamLimits {
  /** What may wait for a listener; beyond it the stream is cut, and the listener comes again with `Last-Event-ID`. */
  readonly maxWaitingBytes: number
  /** Streams of this process at one time. */
  readonly maxStreams: number
  /** Of these, of one owner and from one address: beyond it their own oldest ends, so that they take nobody's place but their own. */
  readonly maxPerOwner: number
  readonly maxPerAddress: number
  /** A comment, so that whatever lies between does not take the connection for dead. */
  readonly heartbeatIntervalMs: number
  /** Then it ends and the listener comes again: a stream must not outlive the token that opened it by much. */
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

/** Whether a caller that accepts this wants events rather than JSON. */
export function wantsEvents(accept: string | undefined): boolean {
  return accept !== undefined && /(^|[ ,])text\/event-stream([ ;,]|$)/.test(accept)
}

export interface EventStreams {
  /**
   * @param follow is told how to send an event and how to end the stream after it; returns what stops the following.
   * @param address of the listener; nowhere kept once the stream has ended.
   * @throws {Problem} overloaded
   */
  open(owner: string, address: string, follow: (send: (event: SentEvent) => void, end: () => void) => () => void): Readable
  /** Ends all, for a process that is told to stop. */
  close(): void
}

export function eventStreams(limits: EventStreamLimits = EVENT_STREAM_LIMITS): EventStreams {
  const open = new Map<Readable, () => void>()
  const places = createConnectionSlots({ most: limits.maxStreams, maxOf: [limits.maxPerOwner, limits.maxPerAddress] })
  return {
    open(owner, address, follow) {
      const leave = places.take([owner, address], () => end())
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
