// Reads a video file's container, slice by slice, as the service does (workers/media/video/demux.ts): what it shows, and its packets.

import {
  BlobSource,
  type EncodedPacket,
  EncodedPacketSink,
  Input,
  type InputVideoTrack,
  Logging,
  LogLevel,
  MATROSKA,
  MP4,
  QTFF,
  WEBM,
} from 'mediabunny'
import { MAX_VIDEO_MS } from '../../packages/hash/src/video-frames.js'
import { hashedFrameSize, isFrameTooLarge } from '../../src/domain/media/video-frame-size.js'
import { type Rejected, rejected } from '../hashing/outcome.js'
import { orientationOf } from './frame-grey.js'

Logging.level = LogLevel.Silent

export interface VideoPacket {
  /** When it is first shown; negative if an edit list hides it. */
  readonly atMs: number
  /** Until when. */
  readonly endMs: number
  readonly packet: EncodedPacket
}

export interface Container {
  /** By the container; what can be decoded may be shorter. */
  readonly durationMs: number
  /** At which a frame is hashed, before it is turned. */
  readonly hashedSize: { readonly width: number; readonly height: number }
  /** As EXIF numbers it, 1…8. */
  readonly orientation: number
  /** Width over height as it is shown, turned. */
  readonly aspect: number
  readonly config: VideoDecoderConfig | undefined
  /** In the order of decoding, from the key frame before the beginning. It ends where the file does, also early. */
  packets(): AsyncGenerator<VideoPacket>
  close(): void
}

const MAX_TRACKS = 32
/** 240 frames a second for the longest video. */
const MAX_PACKETS = (240 * MAX_VIDEO_MS) / 1000
/** The pixels' own aspect is not believed where it makes no picture. */
const MAX_ASPECT = 16

export async function openContainer(file: Blob): Promise<Container | Rejected> {
  const input = new Input({ source: new BlobSource(file), formats: [MP4, QTFF, MATROSKA, WEBM] })
  const opened = await openedIn(input).catch(() => rejected('video-damaged'))
  if ('kind' in opened) input.dispose()
  return opened
}

async function openedIn(input: Input): Promise<Container | Rejected> {
  if (!(await input.canRead())) return { ...rejected('not-a-picture'), what: 'video' }
  const track = (await input.getTracks()).length > MAX_TRACKS ? null : await input.getPrimaryVideoTrack()
  if (track === null) return rejected('video-damaged')
  const size = { width: await track.getCodedWidth(), height: await track.getCodedHeight() }
  if (!(size.width >= 1 && size.height >= 1)) return rejected('video-damaged')
  if (isFrameTooLarge(size)) return rejected('video-too-large')
  const sink = new EncodedPacketSink(track)
  const first = (await sink.getKeyPacket(0)) ?? (await sink.getFirstPacket())
  if (first === null) return rejected('video-damaged') // also of an encrypted file
  const startS = await startOf(input)
  const durationMs = await durationOf(track, startS)
  if (!(durationMs <= MAX_VIDEO_MS)) return rejected('video-too-long')
  const rotation = await track.getRotation()
  const aspect = await aspectOf(track, size)
  const config = await track.getDecoderConfig()
  return {
    durationMs,
    hashedSize: hashedFrameSize(size),
    orientation: orientationOf(rotation, await track.getFlip()),
    aspect: rotation % 180 === 0 ? aspect : 1 / aspect,
    config: config === null ? undefined : ownConfig(config),
    packets: () => packetsOf(sink, first, startS),
    close: () => input.dispose(),
  }
}

/** Without colours, which the decoder finds in the packets as ffmpeg does, and without a rotation, which is applied here. */
function ownConfig({ codec, codedWidth, codedHeight, description }: VideoDecoderConfig): VideoDecoderConfig {
  return {
    codec,
    ...(codedWidth !== undefined && { codedWidth }),
    ...(codedHeight !== undefined && { codedHeight }),
    ...(description !== undefined && { description }),
  }
}

/** Time of the first sound or picture, which players show as the beginning. Parts of a stream begin later than 0. */
async function startOf(input: Input): Promise<number> {
  const startS = await input.getFirstTimestamp().catch(() => 0)
  return startS > 0 && Number.isFinite(startS) ? startS : 0
}

/** The longer of what is declared and when the last packet ends. NaN stays NaN. */
async function durationOf(track: InputVideoTrack, startS: number): Promise<number> {
  const declaredMs = 1000 * (((await track.getDurationFromMetadata()) ?? 0) - startS)
  const foundMs = 1000 * ((await track.computeDuration().catch(() => 0)) - startS)
  return Math.round(Math.max(0, declaredMs, foundMs))
}

async function aspectOf(track: InputVideoTrack, { width, height }: { width: number; height: number }): Promise<number> {
  const aspect = (await track.getSquarePixelWidth()) / (await track.getSquarePixelHeight())
  return aspect > 1 / MAX_ASPECT && aspect < MAX_ASPECT ? aspect : width / height
}

async function* packetsOf(sink: EncodedPacketSink, first: EncodedPacket, startS: number): AsyncGenerator<VideoPacket> {
  let count = 0
  for (
    let packet: EncodedPacket | null = first;
    packet !== null && count < MAX_PACKETS;
    packet = await sink.getNextPacket(packet).catch(() => null)
  ) {
    const atMs = Math.round(1000 * (packet.timestamp - startS))
    if (!(Math.abs(atMs) <= MAX_VIDEO_MS)) return
    const endMs = Math.round(1000 * (packet.timestamp + packet.duration - startS))
    count++
    yield { atMs, endMs: Math.min(Math.max(atMs, endMs), MAX_VIDEO_MS), packet }
  }
}
