// Videos that wait for a worker or are being hashed. Each has a ticket that works once, and waits for `ttlMs` at most.

import { randomBytes } from 'node:crypto'
import { Problem } from '../domain/problem.js'
import type { VideoHandoffAnswer } from './video-answers.js'
import type { VideoBytes } from './video-bytes.js'

export interface PendingVideo {
  /** 256 random bits, base64url. It gives access to the video, so it is sent to one worker only. */
  readonly ticket: string
  /** Resolves when a worker answers. @throws {Problem} hashing-unavailable when none did in time, the worker died, or the video was cancelled. */
  readonly answer: Promise<VideoHandoffAnswer>
  /** Overwrites the video and makes its worker stop; `answer` rejects. No effect after an answer. */
  cancel(): void
}

export interface ClaimedVideo {
  readonly bytes: VideoBytes
  /** Resolves when the worker may stop: with `true` after its answer, with `false` when no request waits for it any more. */
  readonly over: Promise<boolean>
}

interface Waiting {
  readonly bytes: VideoBytes
  readonly over: Promise<boolean>
  isTaken: boolean
  readonly settle: (answer: VideoHandoffAnswer) => void
  readonly giveUp: () => void
}

const RETRY_AFTER_S = 5

export interface PendingVideos {
  /** How many videos are pending. */
  readonly size: number
  /** Takes over a video. */
  put(bytes: VideoBytes): PendingVideo
  /** @returns the video, once, to send it; `undefined` for a ticket that is unknown, used or expired. */
  claim(ticket: string): ClaimedVideo | undefined
  /** Whether it can be claimed. */
  isWaiting(ticket: string): boolean
  /** Whether a worker claimed it and its answer may still come. */
  isTaken(ticket: string): boolean
  /** Call when the worker that claimed it has died. No effect for a video that was not claimed or is answered. */
  fail(ticket: string): void
  /** Passes on a worker's answer. @returns whether the video was claimed and a request still waited for it. */
  answer(ticket: string, answer: VideoHandoffAnswer): boolean
  /** Cancels everything, for a process that stops. */
  close(): void
}

/** @param ttlMs how long a video may wait, including the worker's time. */
export function createPendingVideos(ttlMs: number): PendingVideos {
  // Invariant: the bytes of an entry are overwritten when it is removed, for whatever reason.
  const waiting = new Map<string, Waiting>()
  const isTaken = (ticket: string) => waiting.get(ticket)?.isTaken === true
  return {
    get size() {
      return waiting.size
    },
    put(bytes) {
      const ticket = randomBytes(32).toString('base64url')
      let resolveOver = (_: boolean) => {}
      const over = new Promise<boolean>((resolve) => {
        resolveOver = resolve
      })
      let giveUp = () => {}
      const answer = new Promise<VideoHandoffAnswer>((resolve, reject) => {
        const end = (isAnswered: boolean) => {
          clearTimeout(timer)
          if (!waiting.delete(ticket)) return false
          bytes.wipe()
          resolveOver(isAnswered)
          return true
        }
        giveUp = () => {
          if (end(false)) reject(new Problem('hashing-unavailable', { retryAfterS: RETRY_AFTER_S }))
        }
        const settle = (given: VideoHandoffAnswer) => {
          if (end(true)) resolve(given)
        }
        const timer = setTimeout(giveUp, ttlMs)
        waiting.set(ticket, { bytes, over, isTaken: false, settle, giveUp })
      })
      answer.catch(() => {}) // the request may have ended
      return { ticket, answer, cancel: giveUp }
    },
    claim(ticket) {
      const entry = waiting.get(ticket)
      if (entry === undefined || entry.isTaken) return undefined
      entry.isTaken = true
      return entry
    },
    isWaiting: (ticket) => waiting.get(ticket)?.isTaken === false,
    isTaken,
    fail(ticket) {
      if (isTaken(ticket)) waiting.get(ticket)?.giveUp()
    },
    answer(ticket, answer) {
      const entry = waiting.get(ticket)
      if (entry === undefined || !entry.isTaken) return false
      if ('problem' in answer && answer.problem === 'hashing-unavailable') entry.giveUp()
      else entry.settle(answer)
      return true
    },
    close() {
      for (const { giveUp } of [...waiting.values()]) giveUp()
    },
  }
}
