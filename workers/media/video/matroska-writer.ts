// Writes packets of one video track as a Matroska stream that can be read as it arrives. Pure: returns bytes and sends nothing.

import type { VideoCodecName } from '../../../src/domain/media/video-limits.js'

const CODEC_IDS: Readonly<Record<VideoCodecName, string>> = {
  avc: 'V_MPEG4/ISO/AVC',
  hevc: 'V_MPEGH/ISO/HEVC',
  vp8: 'V_VP8',
  vp9: 'V_VP9',
  av1: 'V_AV1',
}

const MS_IN_NS = 1_000_000
const UNKNOWN_SIZE = Buffer.from([0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
const VIDEO_TRACK = 1

export interface MatroskaTrack {
  readonly codec: VideoCodecName
  readonly width: number
  readonly height: number
  /** What the decoder needs before the first packet. */
  readonly description?: Uint8Array | undefined
}

/** @returns the beginning of the stream. Its times are milliseconds. */
export function matroskaHeader({ codec, width, height, description }: MatroskaTrack): Buffer {
  const head = element(0x1a45dfa3, text(0x4282, 'matroska'), number(0x4287, 4), number(0x4285, 2))
  const info = element(0x1549a966, number(0x2ad7b1, MS_IN_NS), text(0x4d80, 'tabir'), text(0x5741, 'tabir'))
  const track = element(
    0xae,
    number(0xd7, VIDEO_TRACK),
    number(0x73c5, VIDEO_TRACK),
    number(0x83, VIDEO_TRACK),
    number(0x9c, 0), // no lacing
    text(0x86, CODEC_IDS[codec]),
    ...(description === undefined ? [] : [element(0x63a2, description)]),
    element(0xe0, number(0xb0, width), number(0xba, height)),
  )
  return Buffer.concat([head, idOf(0x18538067), UNKNOWN_SIZE, info, element(0x1654ae6b, track)])
}

/**
 * @returns what precedes a packet's bytes. Each packet gets a cluster of its own, so that packets of any times may follow one another.
 * @param atMs an integer, 0 to 2⁴⁸ − 1.
 * @param keyMs of a key frame, for how long it is shown at least: the decoder does not give a last frame that ends before the next sampled time.
 */
export function packetHead(atMs: number, keyMs: number | undefined, packetBytes: number): Buffer {
  const time = number(0xe7, atMs)
  const block = Buffer.from([0x80 | VIDEO_TRACK, 0, 0, 0]) // 0 ms after the cluster
  const blockHead =
    keyMs === undefined
      ? headOf(0xa3, block, packetBytes)
      : headOf(0xa0, Buffer.concat([number(0x9b, keyMs), headOf(0xa1, block, packetBytes)]), packetBytes)
  return headOf(0x1f43b675, Buffer.concat([time, blockHead]), packetBytes)
}

/** An element that ends with bytes which follow. */
function headOf(id: number, content: Uint8Array, bytesToCome: number): Buffer {
  return Buffer.concat([idOf(id), sizeOf(content.length + bytesToCome), content])
}

function element(id: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([idOf(id), sizeOf(body.length), body])
}

function text(id: number, value: string): Buffer {
  return element(id, Buffer.from(value, 'latin1'))
}

function number(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(6)
  bytes.writeUIntBE(value, 0, 6)
  return element(id, bytes)
}

function idOf(id: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(id)
  return bytes.subarray(bytes.findIndex((byte) => byte !== 0))
}

/** @returns the length of an element in eight bytes: a mark, and the number in seven. */
function sizeOf(bytes: number): Buffer {
  const size = Buffer.alloc(8)
  size.writeBigUInt64BE((1n << 56n) | BigInt(bytes))
  return size
}
