// What a container declares about its video. The service and the page both use this code, because they have to hash the same frames. The types
// describe the parts of mediabunny that are used, so that this file need not import it.

import { MAX_VIDEO_MS } from '../../../packages/hash/src/video-frames.js'

export const MAX_TRACKS = 32
/** Of the longest video. A shorter one may have more. */
export const MAX_FRAMES_PER_SECOND = 240
export const MAX_PACKETS = (MAX_FRAMES_PER_SECOND * MAX_VIDEO_MS) / 1000
/** A declared pixel aspect ratio beyond this, or below its inverse, is ignored. */
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

interface PictureTrack {
  getDisposition(): Promise<{ readonly default: boolean }>
}

/**
 * @param tracks the tracks with pictures, in the order of the file.
 * @param isIso whether the file is MP4 or MOV; otherwise it is Matroska or WebM.
 * @returns the one that browsers show: of MP4 and MOV the first that is enabled, of Matroska the first, whatever its flags say (tried in Chromium 2026;
 *   Firefox's demuxer takes the first as well). Mediabunny's primary track is the one with the highest bitrate, so a harmless second film in the file
 *   would hide the one that is seen.
 */
export async function shownTrack<T extends PictureTrack>(tracks: readonly T[], isIso: boolean): Promise<T | undefined> {
  if (!isIso) return tracks[0]
  for (const track of tracks) if ((await track.getDisposition()).default) return track
  return tracks[0]
}

/** @returns the key frame at or before the beginning, or else the first packet; `null` for a file without packets, and for an encrypted one. */
export async function firstShown<P>(packets: Packets<P>): Promise<P | null> {
  return (await packets.getKeyPacket(0)) ?? (await packets.getFirstPacket())
}

interface Following<P> {
  getNextPacket(packet: P, options: { readonly metadataOnly: true }): Promise<P | null>
}

/** Packets that a film may have without another time: one that is not shown, and one that is. */
const MAX_AT_ONE_TIME = 2

/**
 * @returns whether all packets of a film start within one millisecond of the first, so that a player shows one of its pictures, or all in no time.
 * Cost: for other films, it reads to the first packet with another time.
 */
export async function isAllAtOnce<P extends Timed>(packets: Following<P>, first: P): Promise<boolean> {
  const { atMs } = timesOf(first, 0)
  let count = 1
  const next = (packet: P) => packets.getNextPacket(packet, { metadataOnly: true }).catch(() => null)
  for (let packet = await next(first); packet !== null && count < MAX_PACKETS; packet = await next(packet)) {
    if (Math.abs(timesOf(packet, 0).atMs - atMs) > 1) return false
    count++
  }
  return count > MAX_AT_ONE_TIME
}

/** @returns the time of the first sound or picture [s], which players show as the beginning. It is above 0 in recorded parts of a stream. */
export async function startOf(input: { getFirstTimestamp(): Promise<number> }): Promise<number> {
  const startS = await input.getFirstTimestamp().catch(() => 0)
  return startS > 0 && Number.isFinite(startS) ? startS : 0
}

/**
 * @returns the duration [ms]: the declared one, or the end of the last packet if that is later. If the declared one is NaN or more than
 *   `MAX_VIDEO_MS`, it is returned at once and the packets are not read: the video is too long.
 */
export async function durationOf(track: Track, startS: number): Promise<number> {
  const declaredMs = Math.round(1000 * (((await track.getDurationFromMetadata()) ?? 0) - startS))
  if (!(declaredMs <= MAX_VIDEO_MS)) return declaredMs
  const foundMs = Math.round(1000 * ((await track.computeDuration().catch(() => 0)) - startS))
  return Math.max(0, declaredMs, foundMs)
}

/** @returns width over height as displayed, before rotation. */
export async function aspectOf(track: Track, { width, height }: { width: number; height: number }): Promise<number> {
  const aspect = (await track.getSquarePixelWidth()) / (await track.getSquarePixelHeight())
  return aspect > 1 / MAX_ASPECT && aspect < MAX_ASPECT ? aspect : width / height
}

/** @returns when a packet is first shown and until when [ms]. `atMs` is negative if an edit list hides the packet. */
export function timesOf({ timestamp, duration }: Timed, startS: number): { readonly atMs: number; readonly endMs: number } {
  const atMs = Math.round(1000 * (timestamp - startS))
  const endMs = Math.round(1000 * (timestamp + duration - startS))
  return { atMs, endMs: Math.min(Math.max(atMs, endMs), MAX_VIDEO_MS) }
}
