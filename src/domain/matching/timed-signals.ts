// Signals of a video as they are written for others: each with the time of its frame, rather than the number of the frame.

import type { RegisteredImage, Signal } from './signal.js'

export type TimedSignal = Omit<Signal, 'frame'> & {
  /** [ms] Absent for a signal of the whole file, and for pictures. */
  readonly atMs?: number
}

/** In the same order. */
export function timedSignals({ signals, video }: Pick<RegisteredImage, 'signals' | 'video'>): readonly TimedSignal[] {
  if (video === undefined) return signals
  return signals.map(({ frame, ...rest }) => {
    const atMs = frame === undefined ? undefined : video.framesAtMs[frame]
    return atMs === undefined ? rest : { ...rest, atMs }
  })
}

/** The video of these signals. Signals of one time are of one frame. */
export function videoOf(
  durationMs: number,
  signals: readonly TimedSignal[],
): Required<Pick<RegisteredImage, 'signals' | 'video'>> {
  const framesAtMs = [...new Set(signals.flatMap(({ atMs }) => atMs ?? []))].sort((a, b) => a - b)
  const frameAt = new Map(framesAtMs.map((atMs, frame) => [atMs, frame]))
  return {
    video: { durationMs, framesAtMs },
    signals: signals.map(({ atMs, ...rest }) => {
      const frame = atMs === undefined ? undefined : frameAt.get(atMs)
      return frame === undefined ? rest : { ...rest, frame }
    }),
  }
}
