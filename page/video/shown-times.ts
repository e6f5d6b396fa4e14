// Finds the frame that is shown at each wanted time (0, 250, 500 … ms), and halfway between two of them: the last one that starts at or before it. The
// service asks ffmpeg for the same.

import { FRAME_INTERVAL_MS, REGISTERED_INTERVAL_MS } from '../../packages/hash/src/video-frames.js'

/** @returns the wanted times from `fromMs` on and before `toMs`, as long as the frame between them is shown. */
export function timesShown(fromMs: number, toMs: number): number[] {
  const times: number[] = []
  const first = FRAME_INTERVAL_MS * Math.max(0, Math.ceil(fromMs / FRAME_INTERVAL_MS))
  for (let atMs = first; atMs < toMs; atMs += FRAME_INTERVAL_MS) times.push(atMs)
  return times
}

/** @returns whether a frame that is shown from `fromMs` on and before `toMs` is shown halfway between two wanted times. */
export function isShownBetween(fromMs: number, toMs: number): boolean {
  return timesShown(Math.max(0, fromMs) + REGISTERED_INTERVAL_MS, toMs + REGISTERED_INTERVAL_MS).length > 0
}
