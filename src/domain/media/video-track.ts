// What a container says of its video, as the service and the page read it: both have to hash the same frames. The types are those of the containers'
// reader, as far as they are needed, so that nothing is imported here.

import { MAX_VIDEO_MS } from '../../../packages/hash/src/video-frames.js'

export const MAX_TRACKS = 32
/** 240 frames a second for the longest video. */
export const MAX_PACKETS = (240 * MAX_VIDEO_MS) / 1000
/** The pixels' own aspect is not believed where it makes no picture. */
const MAX_ASPECT = 16

/** [s] */
interface Timed {
  readonly timestamp: number
  readonly duration: number
}

interface Packets<P> {
  getKeyPacket(timestamp: number): Promise<P | null>
  getFirstPacket(): Promise<P | null>
}

interface Track {
  getDurationFromMetadata(): Promise<number | null>
  computeDuration(): Promise<number>
  getSquarePixelWidth(): Promise<number>
  getSquarePixelHeight(): Promise<number>
}

/** The key frame before the beginning, or else the first packet. `null` for a file without packets, and for an encrypted one. */
export async function firstShown<P>(packets: Packets<P>): Promise<P | null> {
  return (await packets.getKeyPacket(0)) ?? (await packets.getFirstPacket())
}

/** [s] Time of the first sound or picture, which players show as the beginning. Parts of a stream begin later than 0. */
export async function startOf(input: { getFirstTimestamp(): Promise<number> }): Promise<number> {
  const startS = await input.getFirstTimestamp().catch(() => 0)
  return startS > 0 && Number.isFinite(startS) ? startS : 0
}

/**
 * [ms] The longer of what is declared and when the last packet ends. NaN or more than `MAX_VIDEO_MS` for a video that is too long; a declared
 * duration decides that before the packets are read.
 */
export async function durationOf(track: Track, startS: number): Promise<number> {
  const declaredMs = Math.round(1000 * (((await track.getDurationFromMetadata()) ?? 0) - startS))
  if (!(declaredMs <= MAX_VIDEO_MS)) return declaredMs
  const foundMs = Math.round(1000 * ((await track.computeDuration().catch(() => 0)) - startS))
  return Math.max(0, declaredMs, foundMs)
}

/** Width over height, before the picture is rotated. */
export async function aspectOf(track: Track, { width, height }: { width: number; height: number }): Promise<number> {
  const aspect = (await track.getSquarePixelWidth()) / (await track.getSquarePixelHeight())
  return aspect > 1 / MAX_ASPECT && aspect < MAX_ASPECT ? aspect : width / height
}

/** [ms] When a packet is first shown, which is negative if an edit list hides it, and until when. */
export function timesOf({ timestamp, duration }: Timed, startS: number): { readonly atMs: number; readonly endMs: number } {
  const atMs = Math.round(1000 * (timestamp - startS))
  const endMs = Math.round(1000 * (timestamp + duration - startS))
  return { atMs, endMs: Math.min(Math.max(atMs, endMs), MAX_VIDEO_MS) }
}
