// Containers with false, truncated or missing content: each is refused with one clear problem, or read as far as it goes.

import t from 'tap'
import { Problem } from '../../../../src/domain/problem.js'
import { openVideo } from '../../../../workers/media/video/demux.js'
import { encrypted, ffmpeg, fileOf, H264, makeClip, remuxed, withFirstTrackDisabled } from '../../../helpers/videos.js'

const skip = ffmpeg === undefined && 'there is no ffmpeg'
const clip = makeClip({ output: [...H264, '-movflags', '+faststart'] }) ?? Buffer.alloc(0)
const HOUR_MS = 3_600_000

const every = (ms: number, count: number) => Array.from({ length: count }, (_, index) => index * ms)

/** How many packets were read, or the code of the problem. */
async function outcome(file: Uint8Array): Promise<number | string> {
  try {
    let count = 0
    for await (const _ of (await openVideo(file)).packets()) count++
    return count
  } catch (error) {
    if (error instanceof Problem) return error.code
    throw error
  }
}

t.test('a valid file is read, whatever its name', async (t) => {
  const video = await openVideo(fileOf([0, 40, 80]))
  t.match(video.facts, { codec: 'vp8', width: 640, height: 480, rotation: 0, isFlipped: false })
  const packets = []
  for await (const { atMs, isKey, bytes } of video.packets()) packets.push({ atMs, isKey, bytes: [...bytes] })
  t.same(packets, [
    { atMs: 0, isKey: true, bytes: [1, 2, 3, 4] },
    { atMs: 40, isKey: false, bytes: [1, 2, 3, 4] },
    { atMs: 80, isKey: false, bytes: [1, 2, 3, 4] },
  ])
})

t.test('the declared duration and size are checked before any packet is read', async (t) => {
  t.equal(await outcome(fileOf([0, 10 * HOUR_MS])), 'video-too-long')
  t.equal(await outcome(fileOf([0], { width: 7680, height: 4320 })), 'video-too-large')
  t.equal(await outcome(fileOf([0], { width: 100_000, height: 1 })), 'video-too-large')
  t.equal(await outcome(fileOf([0], { width: 4096, height: 2160 })), 1)
  t.equal(await outcome(fileOf([0], { width: 2160, height: 4096 })), 1, 'portrait as well')
  t.equal(await outcome(fileOf([0], { width: 0, height: 0 })), 'video-undecodable')
  t.equal(await outcome(fileOf([])), 'video-undecodable', 'no packet')
  const tiny = await openVideo(fileOf([0], { width: 2, height: 2 }))
  t.match(tiny.facts, { width: 128, height: 128 }, 'a size below the minimum of decoders is raised')
})

t.test('times that no player could follow are refused, and others are repaired', async (t) => {
  t.equal(await outcome(fileOf(every(1, 1500))), 1500, '1,000 frames a second')
  t.equal(
    await outcome(fileOf([...every(1, 1000), ...every(1, 1000), ...every(1, 1000)])),
    'video-undecodable',
    'more within one second',
  )
  t.equal(await outcome(fileOf(every(0, 12))), 'video-undecodable', 'all at the same time')
  t.equal(
    await outcome(fileOf([...every(0, 6), ...Array.from({ length: 6 }, () => 1)])),
    'video-undecodable',
    'in a millisecond',
  )
  t.equal(await outcome(fileOf([...every(0, 12), 40])), 13, 'not all at the same time')
  t.equal(await outcome(fileOf([0])), 1, 'a film of one picture')
  t.equal(await outcome(fileOf([100, 50, 0, 200])), 4, 'out of order')
  const late = await openVideo(fileOf([10 * HOUR_MS, 10 * HOUR_MS + 500]))
  t.ok(late.facts.durationMs < 2000, 'a part of a stream begins later than 0')
})

t.test('a file with thousands of tracks is refused', async (t) => {
  const whole = fileOf([0])
  const tracksAt = whole.indexOf(Buffer.from('1654ae6b', 'hex')) + 4
  const bodyAt = tracksAt + 8
  const body = whole.subarray(bodyAt, bodyAt + whole.readUIntBE(tracksAt + 2, 6))
  const tracks = Buffer.concat(Array.from({ length: 10_000 }, () => body))
  const size = Buffer.alloc(8)
  size.writeUIntBE(tracks.length, 2, 6)
  size[0] = 1
  const file = Buffer.concat([whole.subarray(0, tracksAt), size, tracks, whole.subarray(bodyAt + body.length)])
  t.equal(await outcome(file), 'video-undecodable')
})

t.test('a truncated video is read as far as it goes, or refused', { skip }, async (t) => {
  const kinds = { 'an MP4 file': clip, 'a Matroska file': remuxed(clip, 'a.mkv'), 'a MOV file': remuxed(clip, 'a.mov') }
  for (const [kind, file = Buffer.alloc(0)] of Object.entries(kinds)) {
    t.equal(await outcome(file), 12, kind)
    const found = new Set<string>()
    for (let share = 0; share < 1; share += 0.04) {
      const result = await outcome(file.subarray(0, Math.floor(share * file.length)))
      found.add(typeof result === 'string' ? result : result > 0 && result <= 12 ? 'read' : 'misread')
    }
    for (const code of found) t.ok(['read', 'media-unsupported', 'video-undecodable'].includes(code), `${kind}: ${code}`)
  }
})

t.test('a file without a readable video is refused', { skip }, async (t) => {
  const source = 'sine=d=1'
  const sound = makeClip({ source, output: ['-c:a', 'aac'] }) ?? Buffer.alloc(0)
  const older = makeClip({ output: ['-c:v', 'mpeg4'] }) ?? Buffer.alloc(0)
  t.equal(await outcome(sound), 'video-undecodable', 'sound alone')
  t.equal(await outcome(encrypted(clip)), 'video-undecodable', 'encrypted')
  t.equal(await outcome(older), 'media-unsupported', 'a codec that is not decoded here')
  const png = Buffer.from('89504e470d0a1a0a', 'hex')
  t.equal(await outcome(Buffer.concat([png, clip])), 'media-unsupported', 'a picture followed by a video')
  t.equal(await outcome(Buffer.concat([clip, fileOf([0, 40])])), 12, 'two files in one: the first')
  t.equal(await outcome(Buffer.alloc(0)), 'media-unsupported', 'an empty file')
})

t.test('of several films in one file the one is read that browsers show', { skip }, async (t) => {
  const maps = ['-map', '0:v', '-map', '0:v', '-s:v:1', '768x576', ...H264]
  const areBothOn = ['-disposition:v:0', 'default', '-disposition:v:1', 'default']
  const isFirstOff = ['-disposition:v:0', '0', '-disposition:v:1', 'default']
  const [FIRST, SECOND] = [
    { width: 192, height: 144 },
    { width: 768, height: 576 },
  ]
  for (const name of ['a.mp4', 'a.mov', 'a.mkv']) {
    const both = makeClip({ name, output: [...maps, ...areBothOn] }) ?? Buffer.alloc(0)
    t.match((await openVideo(both)).size, FIRST, `${name}: the first, although the second is larger`)
    const second = makeClip({ name, output: [...maps, ...isFirstOff] }) ?? Buffer.alloc(0)
    if (name !== 'a.mkv') t.match((await openVideo(second)).size, SECOND, `${name}: the second, as the first is disabled`)
    else t.match((await openVideo(second)).size, FIRST, `${name}: the first, although the second is the default`)
  }
  const disabled = withFirstTrackDisabled(makeClip({ name: 'a.mkv', output: maps }) ?? Buffer.alloc(0))
  t.match((await openVideo(disabled)).size, FIRST, 'a disabled track of Matroska is shown as well')
  const old = makeClip({ output: [...maps, '-c:v:0', 'mpeg4', ...areBothOn] }) ?? Buffer.alloc(0)
  t.equal(await outcome(old), 'media-unsupported', 'no other in place of the one that is shown')
})

t.test('a header that declares ten hours is refused', { skip }, async (t) => {
  const file = Buffer.from(clip)
  for (const box of ['mvhd', 'tkhd', 'mdhd']) {
    const at = file.indexOf(box)
    const durationAt = at + (box === 'tkhd' ? 24 : 20)
    file.writeUInt32BE(0xfffffff0, durationAt)
  }
  t.equal(await outcome(file), 'video-too-long')
})
