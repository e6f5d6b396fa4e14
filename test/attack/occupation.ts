// Somebody sends films that are small files and take minutes of a processor, each from another address. Meanwhile a person sends a short clip.

import { Redis } from 'ioredis'
import { QUEUE_PREFIX } from '../../src/jobs/hash-image-job.js'
import { HASH_VIDEO_QUEUE } from '../../src/jobs/hash-video-job.js'
import { multipart } from '../helpers/multipart.js'
import { type Ending, openCase, startService, until } from '../helpers/service.js'
import { ffmpeg, makeClip, remuxed } from '../helpers/videos.js'
import { startWorkers } from '../helpers/workers.js'
import type { Scale } from './attacks.js'

const FILMS = 5
/** One film is being hashed when the clip arrives, and may be over just before the next one is chosen. */
const MAX_BEFORE = 2

/** One second of a photograph, as often as it takes. */
function filmOf(scale: Scale): Buffer | undefined {
  const [size, seconds] = scale === 'large' ? ['1920x1080', 600] : ['640x480', 20]
  const second = makeClip({ source: `color=gray:s=${size}:r=120:d=1` })
  return second && remuxed(second, 'film.mp4', { input: ['-stream_loop', `${seconds - 1}`] })
}

export async function occupy(t: Ending, scale: Scale): Promise<string[]> {
  const [film, clip] = [filmOf(scale), makeClip()]
  if (film === undefined || clip === undefined) {
    if (ffmpeg === undefined) return []
    throw new Error('there is no encoder')
  }
  const videoLimits = scale === 'large' ? {} : { largeMs: 1000 }
  const service = await startService(t, { exposure: 'public', videoLimits })
  await startWorkers(t, service.redis)
  const sendFrom = async (address: string, bytes: Buffer) => {
    const { url, headers } = await openCase(service.app)
    const { payload, headers: own } = multipart([{ name: 'video', fileName: 'a.mp4', contentType: 'video/mp4', bytes }])
    const method = 'POST'
    return service.app.inject({
      method,
      url: `${url}/videos`,
      headers: { ...headers, ...own },
      payload,
      remoteAddress: address,
    })
  }
  let done = 0
  const films = Array.from({ length: FILMS }, (_, i) =>
    sendFrom(`203.0.113.${i}`, Buffer.from(film)).then(
      () => void done++,
      () => {},
    ),
  )
  const key = (name: string) => `${QUEUE_PREFIX}:${HASH_VIDEO_QUEUE}:${name}`
  const redis = new Redis(service.redis.socket)
  t.teardown(() => redis.disconnect())
  await until(async () => (await redis.zcard(key('prioritized'))) + (await redis.llen(key('active'))) + done >= FILMS)
  const { statusCode, body } = await sendFrom('198.51.100.1', clip)
  const before = done
  if (statusCode !== 201) return [`a clip of a person gets ${statusCode}: ${body}`]
  void films
  return before > MAX_BEFORE ? [`a clip of a person waits for ${before} films of others`] : []
}
