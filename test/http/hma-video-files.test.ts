// Files of videos in the HMA interface: hashed by workers, as an HMA that has vPDQ does.

import { createHash } from 'node:crypto'
import t from 'tap'
import { formatHash } from '../../packages/hash/src/hash256.js'
import { loadImageHasherSync } from '../../packages/hash/src/image-hasher.js'
import { createWorkerId, heartbeat } from '../../src/store/redis/heartbeats.js'
import { hmaWorld } from '../helpers/hma.js'
import { multipart } from '../helpers/multipart.js'
import { redisOf } from '../helpers/requests.js'
import { ffmpeg, framesOf, H264, makeClip, remuxed } from '../helpers/videos.js'

const skip = ffmpeg === undefined && 'there is no ffmpeg'
const [width, height] = [192, 144]
const clip = makeClip({ source: `testsrc2=s=${width}x${height}:r=12:d=3` }) ?? Buffer.alloc(0)
const md5 = createHash('md5').update(clip).digest('hex')

type World = Awaited<ReturnType<typeof hmaWorld>>

async function sendTo({ hma }: World, url: string, bytes: Buffer) {
  const { payload, headers } = multipart([{ name: 'video', fileName: 'a.mp4', contentType: 'video/mp4', bytes }])
  return await hma('POST', url, payload, headers)
}

t.test(
  'a video file is answered with its MD5 and the PDQ of each second, and with what is selected',
  { skip },
  async (t) => {
    const world = await hmaWorld(t, { workers: true })
    const hasher = loadImageHasherSync()
    const seconds = framesOf(clip, 'a.mp4', width, height).filter((_, i) => i % 4 === 0)
    t.equal(seconds.length, 3)
    const vpdq = seconds.map((data, i) => {
      const { hashes, quality } = hasher.whole({ data, width, height, channels: 1 })
      return `${hashes[0] && formatHash(hashes[0])},${quality},${i}.000`
    })
    t.same((await sendTo(world, '/h/hash', clip)).body, { video_md5: md5, vpdq: JSON.stringify(vpdq) })
    t.same((await sendTo(world, '/h/hash?types=vpdq', clip)).body, { vpdq: JSON.stringify(vpdq) })
    t.same((await sendTo(world, '/h/hash?types=video_md5', clip)).body, { video_md5: md5 })

    const plain = makeClip({ source: `color=gray:s=${width}x${height}:r=12:d=2` }) ?? Buffer.alloc(0)
    const { vpdq: ofPlain } = (await sendTo(world, '/h/hash', plain)).body as { vpdq: string }
    t.match(
      JSON.parse(ofPlain),
      [/^[0-9a-f]{64},0,0\.000$/, /^[0-9a-f]{64},0,1\.000$/],
      'seconds of low quality are there, too',
    )

    const broken = Buffer.alloc(5000, 'no video')
    t.same(Object.keys((await sendTo(world, '/h/hash', broken)).body as object), ['video_md5'])
    t.match(await sendTo(world, '/h/hash?types=vpdq', broken), { status: 400 })
    t.match(await sendTo(world, '/h/hash?types=pdq', clip), { status: 400 })
  },
)

t.test('an added video file is found by the same file, by copies and by vPDQ', { skip }, async (t) => {
  const world = await hmaWorld(t, { workers: true })
  const added = await sendTo(world, '/c/bank/MINE/content', clip)
  t.match(added, { status: 200, body: { id: Number, signals: { video_md5: md5, vpdq: /^\["[0-9a-f]{64},\d+,0\.000"/ } } })
  const { id, signals } = added.body as { id: number; signals: { vpdq: string } }
  const found = { MINE: [{ bank_content_id: id, distance: String }] }
  const same = await sendTo(world, '/m/lookup', clip)
  t.match(same.body, { video_md5: { MINE: [{ bank_content_id: id, distance: '-' }] }, vpdq: found })
  const copy = remuxed(clip, 'copy.mp4', { output: [...H264, '-vf', 'scale=160:120', '-c:v', 'libx264'] }) ?? Buffer.alloc(0)
  const asked = await sendTo(world, '/m/lookup', copy)
  t.match(asked.body, { video_md5: {}, vpdq: { MINE: [{ bank_content_id: id, distance: /^[1-9]\d*%\[-\]$/ }] } })
  t.same(Object.keys((await sendTo(world, '/m/lookup?types=video_md5', copy)).body as object), ['video_md5'])
  t.same(Object.keys((await sendTo(world, '/m/lookup?types=vpdq', copy)).body as object), ['vpdq'])
  const text = `/m/lookup?signal_type=vpdq&signal=${encodeURIComponent(signals.vpdq)}`
  t.match((await world.hma('GET', text)).body, found)
})

t.test('without ffmpeg a video file has its MD5 alone, and a request for vPDQ gets 501', async (t) => {
  const world = await hmaWorld(t)
  await heartbeat(await redisOf(t, world.service), createWorkerId('a', ['ffmpeg']))
  const bytes = Buffer.alloc(3000, 7)
  t.same(Object.keys((await sendTo(world, '/h/hash', bytes)).body as object), ['video_md5'])
  t.same((await sendTo(world, '/m/lookup', bytes)).body, { video_md5: {} })
  t.match(await sendTo(world, '/h/hash?types=vpdq', bytes), { status: 501 })
})
