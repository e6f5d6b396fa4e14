// What a video will cost is read from its container, in every form of it; a hostile file gets no exact answer, and takes no time.

import t from 'tap'
import { videoCostMs } from '../../src/domain/media/video-cost.js'
import { DECODING_MS_PER_MINUTE, DECODING_START_MS } from '../../src/domain/media/video-limits.js'
import { ffmpeg, fileOf, makeClip, remuxed } from '../helpers/videos.js'

const costOf = (file: Buffer, pieceBytes = file.length) =>
  videoCostMs(
    Array.from({ length: Math.ceil(file.length / pieceBytes) }, (_, i) =>
      file.subarray(i * pieceBytes, (i + 1) * pieceBytes),
    ),
    () => undefined,
  )

/** Two seconds of 120 frames. */
const clip = makeClip({ source: 'testsrc2=s=640x480:r=120:d=2' }) ?? Buffer.alloc(0)
const MS_OF_CLIP = 162

t.test('the cost is that of all frames, in every container', { skip: ffmpeg === undefined }, async (t) => {
  const ways = {
    'a.mp4': [],
    'b.mp4': ['-movflags', 'faststart'],
    'c.mp4': ['-movflags', 'frag_keyframe+empty_moov'],
    'd.mov': [],
    'e.mkv': [],
    'f.mkv': ['-live', '1'],
  }
  for (const [name, output] of Object.entries(ways)) {
    const file = remuxed(clip, name, { output }) ?? Buffer.alloc(0)
    t.equal(await costOf(file), MS_OF_CLIP, name)
    t.equal(await costOf(file, 1000), MS_OF_CLIP, `${name} in pieces`)
  }
  const sound = ['-f', 'lavfi', '-i', 'sine=d=2']
  t.equal(await costOf(remuxed(clip, 'a.mp4', { input: sound, output: ['-c:a', 'aac'] }) ?? Buffer.alloc(0)), MS_OF_CLIP)
})

t.test('a long film costs what the decoder gets at most', async (t) => {
  const times = Array.from({ length: 10 * 60 * 120 }, (_, i) => Math.round((i * 1000) / 120))
  const most = DECODING_START_MS + 10 * DECODING_MS_PER_MINUTE
  const film = await costOf(fileOf(times, { width: 1920, height: 1080 }))
  t.ok(film !== undefined && film > 0.99 * most && film <= most, `${film}`)
  const ordinary = times.slice(0, 60 * 30).map((_, i) => Math.round((i * 1000) / 30))
  t.match(await costOf(fileOf(ordinary, { width: 1920, height: 1080 })), 8211, 'a minute of 1080p')
})

t.test(
  'a declared duration that is shorter than its frames makes nothing cheaper',
  { skip: ffmpeg === undefined },
  async (t) => {
    const film = remuxed(clip, 'a.mp4', { input: ['-stream_loop', '99'] }) ?? Buffer.alloc(0)
    const before = await costOf(film)
    const at = film.indexOf('mdhd') + 4
    t.ok(film.readUInt32BE(at + 16) > 0)
    film.writeUInt32BE(1, at + 16)
    t.equal(await costOf(film), before)
    t.ok((before ?? 0) > 99 * MS_OF_CLIP)
  },
)

t.test('a damaged or hostile file never throws', { skip: ffmpeg === undefined }, async (t) => {
  const boxes = Buffer.alloc(1 << 20)
  for (let at = 0; at < boxes.length; at += 8) boxes.write('\0\0\0\bfree', at, 'latin1')
  const entries = Buffer.alloc(1 << 10)
  entries.write(
    '\0\0\0\0moov\0\0\0\0trak\0\0\0\0mdia\0\0\0\0minf\0\0\0\0stbl\0\0\0\0stts\0\0\0\0\xff\xff\xff\xff',
    0,
    'latin1',
  )
  for (const file of [Buffer.alloc(0), Buffer.alloc(100), Buffer.from('not a video'), boxes, entries])
    t.equal(await costOf(file), undefined)
  const mkv = remuxed(clip, 'a.mkv') ?? Buffer.alloc(0)
  let seed = 1
  for (const whole of [clip, mkv])
    for (let nth = 0; nth < 200; nth++) {
      const file = Buffer.from(whole)
      for (let change = 0; change < 20; change++) {
        seed = (seed * 48_271) % 0x7fffffff
        file[seed % Math.min(file.length, nth % 2 === 0 ? 600 : file.length)] = seed % 251
      }
      const cost = await costOf(file.subarray(0, nth % 3 === 0 ? seed % file.length : file.length))
      if (!(cost === undefined || cost >= 0)) t.fail(`cost ${cost}`)
    }
})
