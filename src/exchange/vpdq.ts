// Videos as vPDQ has them: PDQ of frames. As lines, which vPDQ's own programs write, and as JSON in one line, which HMA and ThreatExchange use.

import { refusalOf } from '../../packages/core/src/matching/probable-hash.js'
import type { RegisteredVideo, Signal } from '../../packages/core/src/matching/signal.js'
import { formatHash, parseHash } from '../../packages/hash/src/hash256.js'
import { FRAME_INTERVAL_MS, MAX_VIDEO_SIGNALS } from '../../packages/hash/src/video-frames.js'
import { jsonOrUndefined } from '../domain/json.js'
import type { NewSignal } from '../domain/organisations/bank-change.js'
import type { RecordRejection } from '../domain/organisations/bank-import.js'

export interface VpdqVideo {
  /** PDQ of whole frames. At least one, at most `MAX_VIDEO_SIGNALS`. */
  readonly signals: readonly [Signal, ...Signal[]]
  readonly video: RegisteredVideo
}

/** Collects the frames of a video. */
export interface VpdqFrames {
  /**
   * Adds the next frame. Leaves out a frame within 250 ms of the one before, or with the hash of another: it would find nothing more.
   * @returns why the frame is refused; `undefined` if it was added or left out.
   */
  add(frame: VpdqFrame): RecordRejection | undefined
  /** `undefined` without any frame. */
  video(): VpdqVideo | undefined
}

export interface VpdqFrame {
  readonly hash: string
  readonly quality: string
  /** Seconds. */
  readonly time: string
}

const MAX_MS = 2 ** 32 - 1
const SECONDS = /^\d{1,10}(?:\.\d{1,9})?(?:e[+-]?\d{1,2})?$/i

export function createVpdqFrames(): VpdqFrames {
  const signals: Signal[] = []
  const framesAtMs: number[] = []
  const hashes = new Set<string>()
  let givenMs = -1
  let keptMs = Number.NEGATIVE_INFINITY

  return {
    add({ hash: hex, quality: qualityText, time }) {
      const text = hex.toLowerCase()
      const hash = parseHash(text)
      if (hash === undefined) return 'hash-malformed'
      const quality = /^\d{1,3}$/.test(qualityText) ? Number(qualityText) : -1
      const atMs = SECONDS.test(time) ? Math.round(1000 * Number(time)) : -1
      if (atMs < givenMs || atMs < 0 || atMs > MAX_MS) return 'record-unreadable'
      // HMA writes three digits, so that after 100 seconds many frames have one time.
      const isSameTime = atMs === givenMs
      givenMs = atMs
      if (quality > 100) return 'quality-too-low'
      const signal = { type: 'pdq', view: 'whole', quality, hash, frame: framesAtMs.length } as const
      const why = refusalOf(signal)
      if (why !== undefined) return why
      if (hashes.has(text) || (!isSameTime && atMs < keptMs + FRAME_INTERVAL_MS)) return undefined
      if (signals.length === MAX_VIDEO_SIGNALS) return 'record-too-long'
      keptMs = Math.max(atMs, keptMs + 1)
      signals.push(signal)
      framesAtMs.push(keptMs)
      hashes.add(text)
      return undefined
    },
    video() {
      const [first, ...others] = signals
      if (first === undefined) return undefined
      return { signals: [first, ...others], video: { durationMs: Math.max(1, givenMs, keptMs), framesAtMs } }
    },
  }
}

/** @returns the video as a new signal of a bank. */
export function newSignalOf({ signals, video }: VpdqVideo, facts: Partial<Pick<NewSignal, 'category' | 'tier'>>): NewSignal {
  const [{ frame: _, ...first }] = signals
  return { ref: undefined, category: undefined, ...facts, signal: first, picture: signals, video }
}

/** Whether the text begins like a video in JSON. */
export function isVpdqJson(text: string): boolean {
  return /^(?:\[\s*"[0-9a-f]{64},|\{\s*"\d{1,9}"\s*:)/i.test(text)
}

/**
 * Reads a video in JSON: a list of `"hash,quality,seconds"`, or, as older versions write it, an object of frames by their numbers. Frames of low
 * quality are left out, as vPDQ does when it compares.
 *
 * It is not parsed as JSON: other JSON of this length would take long.
 * @returns the video; or the reason, if the text is not a video or no frame is left.
 */
export function readVpdqJson(text: string): VpdqVideo | RecordRejection {
  const frames = createVpdqFrames()
  for (const frame of text.trimStart().startsWith('[') ? listed(text) : numbered(text)) {
    if (frame === undefined) return 'record-unreadable'
    const why = frames.add(frame)
    if (why !== undefined && why !== 'quality-too-low') return why
  }
  return frames.video() ?? 'quality-too-low'
}

/** Yields `undefined` last if the text is no such list. */
function* listed(text: string): Generator<VpdqFrame | undefined, void, void> {
  for (const item of items(text, /\[/y, /\s*"([^"\\]{1,160})"\s*([,\]])/y)) {
    const [hash = '', quality = '', time = '', ...others] = item?.[1]?.split(',') ?? []
    yield item === undefined || time === '' || others.length > 0 ? undefined : { hash, quality, time }
  }
}

function* numbered(text: string): Generator<VpdqFrame | undefined, void, void> {
  for (const item of items(text, /\{/y, /\s*"\d{1,9}"\s*:\s*\{([^{}]{1,300})\}\s*([,}])/y)) {
    const value = item === undefined ? undefined : jsonOrUndefined(`{${item[1]}}`)
    const { hash, quality, timestamp }: Record<string, unknown> = { ...Object(value) }
    const isFrame = typeof hash === 'string' && typeof quality === 'number' && typeof timestamp === 'number'
    yield isFrame ? { hash, quality: String(quality), time: String(timestamp) } : undefined
  }
}

/** Reads items one after the other, each with the comma or the bracket behind it. */
function* items(text: string, opening: RegExp, item: RegExp): Generator<RegExpExecArray | undefined, void, void> {
  const end = text.trimEnd().length
  opening.lastIndex = text.length - text.trimStart().length
  if (opening.exec(text) === null) return yield undefined
  item.lastIndex = opening.lastIndex
  for (;;) {
    const found = item.exec(text)
    if (found === null) return yield undefined
    yield found
    if (found[2] === ',') continue
    if (item.lastIndex !== end) yield undefined
    return
  }
}

/** Writes PDQ of frames as HMA's JSON of a video. */
export function vpdqJson(frames: readonly Signal[], { framesAtMs }: RegisteredVideo): string {
  const texts = frames.map(({ hash, quality, frame = 0 }) => {
    return `${formatHash(hash)},${quality},${((framesAtMs[frame] ?? 0) / 1000).toFixed(3)}`
  })
  return JSON.stringify(texts)
}
