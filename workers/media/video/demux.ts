// Reads the container of a video file: its facts and its packets. Decodes nothing.

import {
  type EncodedPacket,
  EncodedPacketSink,
  Input,
  type InputFormat,
  type InputVideoTrack,
  Logging,
  LogLevel,
  MATROSKA,
  MP4,
  QTFF,
  WEBM,
} from 'mediabunny'
import { MAX_VIDEO_MS } from '../../../packages/hash/src/video-frames.js'
import { prepareMatroska } from '../../../src/domain/media/matroska-tables.js'
import { hashedFrameSize, isFrameTooLarge } from '../../../src/domain/media/video-frame-size.js'
import { VIDEO_CODECS, type VideoCodecName } from '../../../src/domain/media/video-limits.js'
import {
  aspectOf,
  durationOf,
  firstShown,
  isAllAtOnce,
  MAX_PACKETS,
  MAX_TRACKS,
  shownTrack,
  startOf,
  timesOf,
} from '../../../src/domain/media/video-track.js'
import { Problem } from '../../../src/domain/problem.js'
import { ranOutOfMemory } from '../out-of-memory.js'
import { BoundedSource } from './bounded-source.js'
import { areTablesSmall } from './mp4-tables.js'
import type { VideoFacts } from './video-facts.js'

Logging.level = LogLevel.Silent

export interface Packet {
  /** When it is first shown; negative if an edit list hides it. */
  readonly atMs: number
  /** Until when it is shown. */
  readonly endMs: number
  readonly isKey: boolean
  readonly bytes: Uint8Array
}

export interface OpenedVideo {
  readonly facts: VideoFacts
  /** Width over height as displayed, before rotation. */
  readonly aspect: number
  /** Coded size in pixels. */
  readonly size: { readonly width: number; readonly height: number }
  /** What the decoder needs before the first packet. */
  readonly description: Uint8Array | undefined
  /**
   * Yields the packets in decoding order, from the key frame before the beginning. Ends where the file ends or becomes unreadable.
   * @throws {Problem} `video-too-long`; `video-undecodable` for times that no player could follow.
   */
  packets(): AsyncGenerator<Packet>
}

/** Maximum packets that start within one second. High-speed cameras may write as many. */
const MAX_PACKETS_PER_SECOND = 2_000

/**
 * Opens a file, which belongs to this from now on, in any of the supported containers, which its content tells apart.
 * @throws {Problem} `media-unsupported` for other files, and for codecs that are not supported; `video-undecodable` for a damaged file or one without
 *   a video track; `video-too-long`; `video-too-large`.
 * Cost: bounded by the checks of its tables (`areTablesSmall`, `prepareMatroska`) and of reads (`BoundedSource`).
 */
export async function openVideo(file: Uint8Array): Promise<OpenedVideo> {
  const input = new Input({ source: new BoundedSource(file), formats: [MP4, QTFF, MATROSKA, WEBM] })
  if (!(await canRead(input))) throw new Problem('media-unsupported')
  try {
    const isIso = isIsoMedia(await input.getFormat())
    if (!(isIso ? areTablesSmall(file) : prepareMatroska(file))) throw new Problem('video-undecodable')
    const track = await pictureTrackOf(input, isIso)
    const codec = await codecOf(track)
    const size = await sizeOf(track)
    const sink = new EncodedPacketSink(track)
    const first = await firstShown(sink)
    if (first === null) throw new Problem('video-undecodable') // or the file is encrypted
    if (await isAllAtOnce(sink, first)) throw new Problem('video-undecodable')
    const startS = await startOf(input)
    const durationMs = await durationOf(track, startS)
    if (!(durationMs <= MAX_VIDEO_MS)) throw new Problem('video-too-long')
    const config = await track.getDecoderConfig()
    const facts: VideoFacts = {
      codec,
      durationMs,
      ...hashedFrameSize(size),
      rotation: await track.getRotation(),
      isFlipped: await track.getFlip(),
      isLate: timesOf(first, startS).atMs > 0,
    }
    const aspect = await aspectOf(track, size)
    return { facts, aspect, size, description: bytesOf(config?.description), packets: () => packetsOf(sink, first, startS) }
  } catch (error) {
    throw error instanceof Problem ? error : new Problem('video-undecodable')
  }
}

/** @throws the error of a lack of memory, which says nothing about the file. */
async function canRead(input: Input): Promise<boolean> {
  try {
    return await input.canRead()
  } catch (error) {
    if (ranOutOfMemory(error)) throw error
    return false
  }
}

const isIsoMedia = (format: InputFormat) => format === MP4 || format === QTFF

async function pictureTrackOf(input: Input, isIso: boolean): Promise<InputVideoTrack> {
  const tracks = await input.getTracks()
  if (tracks.length > MAX_TRACKS) throw new Problem('video-undecodable')
  const track = await shownTrack(await input.getVideoTracks(), isIso)
  if (track === undefined) throw new Problem('video-undecodable')
  return track
}

async function codecOf(track: InputVideoTrack): Promise<VideoCodecName> {
  const codec = await track.getCodec()
  const known = VIDEO_CODECS.find((name) => name === codec)
  if (known === undefined) throw new Problem('media-unsupported')
  return known
}

async function sizeOf(track: InputVideoTrack): Promise<{ width: number; height: number }> {
  const [width, height] = [await track.getCodedWidth(), await track.getCodedHeight()]
  if (!(width >= 1 && height >= 1)) throw new Problem('video-undecodable')
  if (isFrameTooLarge({ width, height })) throw new Problem('video-too-large')
  return { width, height }
}

function bytesOf(source: AllowSharedBufferSource | undefined): Uint8Array | undefined {
  if (source === undefined) return undefined
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source)
}

async function* packetsOf(sink: EncodedPacketSink, first: EncodedPacket, startS: number): AsyncGenerator<Packet> {
  const times = createTimeCheck()
  // A file that is cut off or damaged is read up to there.
  for (
    let packet: EncodedPacket | null = first;
    packet !== null;
    packet = await sink.getNextPacket(packet).catch(() => null)
  ) {
    const { atMs, endMs } = timesOf(packet, startS)
    times.check(atMs)
    yield { atMs, endMs, isKey: packet.type === 'key', bytes: packet.data }
  }
}

/** Refuses packets beyond the maximum duration, and too many packets within one second. */
function createTimeCheck() {
  const perSecond = new Map<number, number>()
  let count = 0
  return {
    check(atMs: number): void {
      if (!Number.isSafeInteger(atMs) || atMs < -MAX_VIDEO_MS) throw new Problem('video-undecodable')
      if (atMs > MAX_VIDEO_MS || ++count > MAX_PACKETS) throw new Problem('video-too-long')
      const second = Math.floor(atMs / 1000)
      const inSecond = (perSecond.get(second) ?? 0) + 1
      if (inSecond > MAX_PACKETS_PER_SECOND) throw new Problem('video-undecodable')
      perSecond.set(second, inSecond)
    },
  }
}
