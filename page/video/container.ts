// Reads a video file's container, slice by slice, as the service does (workers/media/video/demux.ts): what it shows, and its packets.

import {
  BlobSource,
  type EncodedPacket,
  EncodedPacketSink,
  Input,
  Logging,
  LogLevel,
  MATROSKA,
  MP4,
  QTFF,
  WEBM,
} from 'mediabunny'
import { MAX_VIDEO_MS } from '../../packages/hash/src/video-frames.js'
import { isCroppedLeftOrTop } from '../../src/domain/media/avc-cropping.js'
import { prepareMatroska } from '../../src/domain/media/matroska-tables.js'
import { hashedFrameSize, isFrameTooLarge } from '../../src/domain/media/video-frame-size.js'
import { VIDEO_CODECS } from '../../src/domain/media/video-limits.js'
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
} from '../../src/domain/media/video-track.js'
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
  /**
   * Whether browsers may show another part than the one that its standard says, which ffmpeg shows and the service hashes: of H.264 that is cut off at
   * the left or top, Chromium 2026 shows the corner that is cut off.
   */
  readonly isShownAmiss: boolean
  /** Whether the service has a decoder for it, if it decodes videos at all. */
  readonly isServersCodec: boolean
  /** In the order of decoding, from the key frame before the beginning. It ends where the file does, also early. */
  packets(): AsyncGenerator<VideoPacket>
  close(): void
}

/** Encoders write the table of tracks at the beginning of a Matroska file. */
const TRACKS_WITHIN_BYTES = 1 << 20
const MATROSKA_HEAD = [0x1a, 0x45, 0xdf, 0xa3]

export async function openContainer(given: Blob): Promise<Container | Rejected> {
  const file = await withTracksEnabled(given)
  if (file === undefined) return rejected('video-damaged')
  const input = new Input({ source: new BlobSource(file), formats: [MP4, QTFF, MATROSKA, WEBM] })
  const opened = await openedIn(input).catch(() => rejected('video-damaged'))
  if ('kind' in opened) input.dispose()
  return opened
}

/** Enables all tracks, as the service does. @returns `undefined` for a file with too many. */
async function withTracksEnabled(file: Blob): Promise<Blob | undefined> {
  const head = new Uint8Array(await file.slice(0, TRACKS_WITHIN_BYTES).arrayBuffer())
  if (!MATROSKA_HEAD.every((byte, i) => head[i] === byte)) return file
  return prepareMatroska(head) ? new Blob([head, file.slice(head.length)]) : undefined
}

async function openedIn(input: Input): Promise<Container | Rejected> {
  if (!(await input.canRead())) return { ...rejected('not-a-picture'), what: 'video' }
  if ((await input.getTracks()).length > MAX_TRACKS) return rejected('video-damaged')
  const format = await input.getFormat()
  const track = await shownTrack(await input.getVideoTracks(), format === MP4 || format === QTFF)
  if (track === undefined) return rejected('video-damaged')
  const size = { width: await track.getCodedWidth(), height: await track.getCodedHeight() }
  if (!(size.width >= 1 && size.height >= 1)) return rejected('video-damaged')
  if (isFrameTooLarge(size)) return rejected('video-too-large')
  const sink = new EncodedPacketSink(track)
  const first = await firstShown(sink)
  if (first === null) return rejected('video-damaged') // also of an encrypted file
  if (await isAllAtOnce(sink, first)) return rejected('video-damaged')
  const startS = await startOf(input)
  const durationMs = await durationOf(track, startS)
  if (!(durationMs <= MAX_VIDEO_MS)) return rejected('video-too-long')
  const rotation = await track.getRotation()
  const aspect = await aspectOf(track, size)
  const config = await track.getDecoderConfig()
  const codec = await track.getCodec()
  return {
    durationMs,
    hashedSize: hashedFrameSize(size),
    orientation: orientationOf(rotation, await track.getFlip()),
    aspect: rotation % 180 === 0 ? aspect : 1 / aspect,
    config: config === null ? undefined : ownConfig(config),
    isShownAmiss: codec === 'avc' && isCroppedLeftOrTop(bytesOf(config?.description)),
    isServersCodec: VIDEO_CODECS.some((name) => name === codec),
    packets: () => packetsOf(sink, first, startS),
    close: () => input.dispose(),
  }
}

function bytesOf(source: AllowSharedBufferSource | undefined): Uint8Array {
  if (source === undefined) return new Uint8Array()
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source)
}

/** Leaves out colours, which the decoder finds in the packets as ffmpeg does, and the rotation, which is applied here. */
function ownConfig({ codec, codedWidth, codedHeight, description }: VideoDecoderConfig): VideoDecoderConfig {
  return {
    codec,
    ...(codedWidth !== undefined && { codedWidth }),
    ...(codedHeight !== undefined && { codedHeight }),
    ...(description !== undefined && { description }),
  }
}

async function* packetsOf(sink: EncodedPacketSink, first: EncodedPacket, startS: number): AsyncGenerator<VideoPacket> {
  let count = 0
  for (
    let packet: EncodedPacket | null = first;
    packet !== null && count < MAX_PACKETS;
    packet = await sink.getNextPacket(packet).catch(() => null)
  ) {
    const { atMs, endMs } = timesOf(packet, startS)
    if (!(Math.abs(atMs) <= MAX_VIDEO_MS)) return
    count++
    yield { atMs, endMs, packet }
  }
}
