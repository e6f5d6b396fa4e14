// Signals of a video in the form of exports and the feed: each has the time of its frame instead of the frame's index.

import type { RegisteredImage, Signal } from './signal.js'

export type TimedSignal = Omit<Signal, 'frame'> & {
  /** [ms] Absent for a signal of the whole file, and for pictures. */
  readonly atMs?: number
}

/** @returns the signals of an image in this form, in the same order. */
export function timedSignals({ signals, video }: Pick<RegisteredImage, 'signals' | 'video'>): readonly TimedSignal[] {
  if (video === undefined) return signals
  return signals.map(({ frame, ...rest }) => {
    const atMs = frame === undefined ? undefined : video.framesAtMs[frame]
    return atMs === undefined ? rest : { ...rest, atMs }
  })
}

/** The reverse of `timedSignals`. Signals with the same `atMs` belong to one frame. A video that is also a picture is an animation. */
export function videoOf(
  durationMs: number,
  signals: readonly TimedSignal[],
): Required<Pick<RegisteredImage, 'signals' | 'video'>> {
  const framesAtMs = [...new Set(signals.flatMap(({ atMs }) => atMs ?? []))].sort((a, b) => a - b)
  const isAnimation = signals.some(({ type, view, atMs }) => type === 'pdq' && view === 'whole' && atMs === undefined)
  const frameAt = new Map(framesAtMs.map((atMs, frame) => [atMs, frame]))
  return {
    video: { durationMs, framesAtMs, ...(isAnimation && { isAnimation }) },
    signals: signals.map(({ atMs, ...rest }) => {
      const frame = atMs === undefined ? undefined : frameAt.get(atMs)
      return frame === undefined ? rest : { ...rest, frame }
    }),
  }
}

/** Times are reported to the second, rounded down: finer ones would say which frames are stored. */
export function toSecond(ms: number): number {
  return ms - (ms % 1000)
}
