// What passes between an api and its workers, or is written by one api and read by another, while both may be of two versions.

import { z } from 'zod'
import type { RedisTarget } from '../../src/store/redis/client.js'
import { openStore } from '../../src/store/redis/client.js'
import { keys } from '../../src/store/redis/keys.js'
import { framePicture, gifOf } from '../helpers/animations.js'
import { type Multipart, multipart } from '../helpers/multipart.js'
import { until } from '../helpers/service.js'
import { matroskaUpload } from '../helpers/videos.js'
import { type Call, is, isNotNow, type Reply } from './client.js'
import { askOne, hashText, type Scene, surprised } from './load.js'

const SIZE = { width: 160, height: 120 }
const FRAMES = 100
const PATIENCE_MS = 60_000
const Left = z.object({ watches: z.array(z.object({ watchId: z.uuid() })) })

export interface MediaChecks {
  /** Every api answers an animation and a video, and each removes a watch of a video that the other one made. */
  look(scene: Scene, step: string): Promise<void>
  /** @returns whether the watches left nothing that counts against their organisation. */
  isCountedRight(): Promise<boolean>
}

export async function mediaChecks(target: RedisTarget): Promise<MediaChecks> {
  const frames = [1, 2, 3].map((seed) => ({ picture: framePicture(seed, SIZE), delayMs: 200 }))
  const gif = await gifOf(SIZE, frames)
  const uploads: [string, Multipart | undefined][] = [
    ['/v1/match/images', multipart([{ name: 'image', fileName: 'a.gif', contentType: 'image/gif', bytes: gif }])],
    ['/v1/match/videos', matroskaUpload()], // none without ffmpeg
  ]
  return {
    async look(scene, step) {
      const { headers, apis } = scene.deployment
      for (const at of apis.keys()) {
        for (const [path, upload] of uploads) {
          if (upload === undefined) continue
          const call = { method: 'POST', path, body: upload.payload, headers: { ...headers, ...upload.headers } } as const
          await answered(scene, at, call, step, (reply) => is(reply, 200))
        }
        const framesOf = Array.from({ length: FRAMES }, (_, i) => ({
          atMs: 250 * i,
          signals: [{ type: 'pdq', hash: hashText(scene), quality: 90 }],
        }))
        const json = { watches: [{ video: { frames: framesOf } }] }
        const made = await answered(scene, at, { method: 'POST', path: '/v1/watch', json, headers }, step, (reply) =>
          is(reply, 201),
        )
        if (made?.kind !== 'answer') continue
        for (const { watchId } of Left.parse(made.json).watches)
          await answered(scene, 1 - at, { method: 'DELETE', path: `/v1/watch/${watchId}`, headers }, step, (reply) =>
            is(reply, 204),
          )
      }
    },
    async isCountedRight() {
      const store = await openStore(target)
      try {
        return (await store.ask((redis) => redis.keys(keys.watchMore('*')))).length === 0
      } finally {
        await store.close()
      }
    },
  }
}

/** Repeats it while it is refused for now: a process may just have been replaced. */
async function answered(
  scene: Scene,
  at: number,
  call: Call,
  step: string,
  isDone: (reply: Reply) => boolean,
): Promise<Reply | undefined> {
  let reply: Reply | undefined
  const isAnswered = async () => {
    reply = await askOne(scene, at, call)
    return !isNotNow(reply)
  }
  try {
    await until(isAnswered, PATIENCE_MS)
  } catch {
    const told = reply?.kind === 'answer' ? `${reply.status} ${reply.code ?? ''}` : reply?.kind
    scene.findings.hung.push(`${step}: ${call.method} ${call.path.slice(0, 16)} at api ${at} is never answered: ${told}`)
    return undefined
  }
  if (reply !== undefined && !isDone(reply)) surprised(scene, call, reply)
  return reply !== undefined && isDone(reply) ? reply : undefined
}
