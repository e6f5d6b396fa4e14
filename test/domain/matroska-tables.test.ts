// Matroska files with more tracks or parts than any film has.

import t from 'tap'
import { prepareMatroska } from '../../src/domain/media/matroska-tables.js'
import { MAX_TRACKS } from '../../src/domain/media/video-track.js'
import { matroskaHeader } from '../../workers/media/video/matroska-writer.js'
import { ffmpeg, makeClip, remuxed } from '../helpers/videos.js'

const TRACK = Buffer.of(0xae, 0x83, 0xd7, 0x81, 0x01)
const CUES = 0x1c53bb6b
const TRACKS = 0x1654ae6b

/** An element, with its size in eight bytes. */
function element(id: number, content: Buffer): Buffer {
  const head = Buffer.alloc(12)
  head.writeUInt32BE(id)
  head.writeBigUInt64BE(BigInt(content.length), 4)
  head[4] = 0x01
  return Buffer.concat([head, content])
}

const repeated = (part: Buffer, count: number) => Buffer.alloc(part.length * count, part)
const HEADER = matroskaHeader({ codec: 'vp8', width: 64, height: 64 })

t.test('files as encoders write them are read', { skip: ffmpeg === undefined && 'there is no ffmpeg' }, async (t) => {
  const clip = makeClip({ name: 'a.mkv' }) ?? Buffer.alloc(0)
  for (const file of [
    clip,
    remuxed(clip, 'b.mkv', { output: ['-live', '1'] }) ?? Buffer.alloc(0),
    HEADER,
    clip.subarray(0, 700),
  ]) {
    t.ok(file.length > 0)
    t.ok(prepareMatroska(file))
  }
})

t.test('a file is refused for too many tracks, or parts of any kind, wherever they are', async (t) => {
  const more = (count: number) => element(TRACKS, repeated(TRACK, count))
  t.ok(prepareMatroska(Buffer.concat([HEADER, more(MAX_TRACKS - 1), Buffer.alloc(20)])))
  t.notOk(prepareMatroska(Buffer.concat([HEADER, more(MAX_TRACKS), Buffer.alloc(20)])))
  t.notOk(prepareMatroska(Buffer.concat([HEADER, ...Array.from({ length: MAX_TRACKS }, () => more(1)), Buffer.alloc(20)])))
  const cue = Buffer.of(0xbb, 0x83, 0xb3, 0x81, 0x01)
  t.ok(prepareMatroska(Buffer.concat([HEADER, element(CUES, repeated(cue, 40_000))])))
  t.notOk(prepareMatroska(Buffer.concat([HEADER, element(CUES, repeated(cue, 300_000))])))
  t.notOk(prepareMatroska(Buffer.concat([HEADER, repeated(element(CUES, cue), 300_000)])))
})

t.test('any bytes are looked through without an error', async () => {
  for (let seed = 0; seed < 2000; seed++) {
    const bytes = Buffer.from(HEADER)
    for (let i = 0; i < 4; i++) bytes[(seed * 7919 + i * 31) % bytes.length] = (seed * 131 + i * 77) & 0xff
    prepareMatroska(bytes)
  }
})
