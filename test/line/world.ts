// The service that all cases of a run share, and what is asked of it directly to know what it holds.

import sharp from 'sharp'
import { z } from 'zod'
import { formatHash } from '../../packages/hash/src/hash256.js'
import { pdq } from '../../packages/hash/src/pdq.js'
import { SCOPES } from '../../src/domain/organisations/access.js'
import { scene } from '../helpers/pictures.js'
import { keyFor, startService, type TestService, type TestServiceOptions } from '../helpers/service.js'
import { listen } from '../helpers/sockets.js'
import type { GivenFile } from '../helpers/steps.js'
import { startWorkers } from '../helpers/workers.js'

export interface OwnFile extends GivenFile {
  /** Of its PDQ hash: what a platform would ask with. */
  readonly hash: string
}

export interface World {
  readonly service: TestService
  readonly url: string
  /** What the case holds, as its owner sees it. @returns `undefined` when number and PIN do not open it. */
  read(caseNumber: string, pin: string): Promise<Stored | undefined>
  /** Does a platform find this hash? */
  finds(hash: string): Promise<boolean>
  close(): Promise<void>
}

const Stored = z.object({
  case: z.object({ state: z.string(), images: z.number(), extendedProtection: z.boolean(), expiresAt: z.string() }),
  images: z.array(z.object({ imageId: z.string(), matching: z.boolean(), answer: z.string().nullable() })),
  events: z.array(z.object({ kind: z.string() })),
})
export type Stored = z.infer<typeof Stored> & { readonly token: string }
const Opened = z.object({ token: z.string() })
const Found = z.object({ results: z.array(z.object({ matches: z.array(z.unknown()) })) })

/** Small: thousands of them are drawn, encoded, decoded and hashed. */
const SIZE = { width: 256, height: 192 } as const

export async function openWorld(options: TestServiceOptions = {}): Promise<World> {
  const endings: (() => unknown)[] = []
  const close = async () => {
    for (const end of endings.reverse()) await end()
  }
  const t = { teardown: (end: () => unknown) => void endings.push(end) }
  try {
    const service = await startService(t, { logLevel: 'fatal', ...options })
    await startWorkers(t, service.redis)
    const url = `http://127.0.0.1:${await listen(service.app)}`
    const { headers } = await keyFor(service, 'onlooker', SCOPES)
    const post = (path: string, payload: object, head = {}) =>
      service.app.inject({ method: 'POST', url: path, payload, headers: head })
    return {
      service,
      url,
      async read(caseNumber, pin) {
        const opened = Opened.safeParse((await post(`/v1/cases/${caseNumber}/tokens`, { pin })).json())
        if (!opened.success) return undefined
        const { token } = opened.data
        const file = await service.app.inject({
          url: `/v1/cases/${caseNumber}/export`,
          headers: { authorization: `Bearer ${token}` },
        })
        return { ...Stored.parse(file.json()), token }
      },
      async finds(hash) {
        const answer = await post(
          '/v1/match',
          { queries: [{ signals: [{ type: 'pdq', hash }] }], transforms: false },
          headers,
        )
        return Found.parse(answer.json()).results.some(({ matches }) => matches.length > 0)
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** An image that no other case has. A TIFF is one that the browser cannot open. */
export async function ownFile(seed: number, format: 'jpeg' | 'tiff' = 'jpeg'): Promise<OwnFile> {
  const { name, contentType, bytes } = await scene(seed, { ...SIZE, format })
  const data = await sharp(bytes).removeAlpha().raw().toBuffer()
  const { hash, quality } = pdq({ data, ...SIZE, channels: 3 })
  if (quality < PLAIN_QUALITY) return ownFile(seed + OTHER_SEEDS, format)
  return { name, mimeType: contentType, buffer: bytes, hash: formatHash(hash) }
}

/** Near the least that is taken, decoders that differ by a bit decide. */
const PLAIN_QUALITY = 60
const OTHER_SEEDS = 4_100_000_000
