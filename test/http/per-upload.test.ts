// `grading=per-upload` on every route that matches, in a registry that is large enough to need it.

import t from 'tap'
import { z } from 'zod'
import { formatHash, parseHash } from '../../packages/hash/src/hash256.js'
import { bitsFrom, hashNamed } from '../helpers/hashes.js'
import { hmaClient } from '../helpers/hma.js'
import { images, type Multipart, multipart } from '../helpers/multipart.js'
import { scene } from '../helpers/pictures.js'
import { keyFor, randomHashText, startService } from '../helpers/service.js'
import { ask } from '../helpers/trust.js'
import { matroskaUpload } from '../helpers/videos.js'

const Result = z.object({
  matches: z.array(z.object({ grade: z.string() })),
  signals: z.array(z.object({ type: z.string(), view: z.string().optional(), hash: z.string() })).optional(),
  frames: z.array(z.object({ signals: z.array(z.object({ type: z.string(), hash: z.string() })) })).optional(),
})
const Answer = z.object({ results: z.array(Result) })

/** Among so many, a single PDQ hash of a picture has to be within 30 bits to be `near`; of a video with several frames, nearer. */
const IMAGES = 10_000
const BITS = 31

t.test('each route that matches can be asked to keep the goals for each upload', async (t) => {
  const service = await startService(t, { workers: true })
  const { app } = service
  const { headers } = await keyFor(service, 'platform', ['match', 'signals:write'])
  const add = async (signals: readonly object[]) => {
    const added = await ask(service, 'POST', '/v1/banks/of-ours/signals', headers, { signals })
    t.equal(added.statusCode, 201, added.body)
  }
  const farFrom = (hash: string | undefined) => ({
    type: 'pdq',
    hash: formatHash(bitsFrom(parseHash(hash ?? '') ?? hashNamed(''), BITS)),
  })
  await ask(service, 'POST', '/v1/banks', headers, { name: 'of-ours' })
  for (let left = IMAGES; left > 0; left -= 1000)
    await add(Array.from({ length: 1000 }, () => ({ type: 'pdq', hash: randomHashText() })))

  const send = async (url: string, form: Multipart) => {
    const payload = Buffer.from(form.payload) // a copy: the service overwrites what it has read
    const answer = await app.inject({ method: 'POST', url, payload, headers: { ...headers, ...form.headers } })
    t.equal(answer.statusCode, 200, answer.body)
    return Answer.parse(answer.json()).results[0]
  }
  const picture = (await scene(61, { width: 480, height: 360 })).bytes
  const byPicture = (query = '') =>
    send(`/v1/match/images${query}`, images([{ name: 'a.png', contentType: 'image/png', bytes: Buffer.from(picture) }]))
  const pdq = (await byPicture())?.signals?.find(({ type }) => type === 'pdq')?.hash ?? ''
  await add([farFrom(pdq)])
  const byHash = async (more: object) => {
    const answer = await ask(service, 'POST', '/v1/match', headers, {
      queries: [{ signals: [{ type: 'pdq', hash: pdq }] }],
      ...more,
    })
    return Answer.parse(answer.json()).results[0]?.matches
  }
  const near = [{ grade: 'near' }]
  t.match((await byPicture())?.matches, near)
  t.same((await byPicture('?grading=per-upload'))?.matches, [])
  t.match((await byPicture('?grading=per-upload&thresholdBits=31'))?.matches, [{ grade: 'review' }])
  t.match(await byHash({}), near)
  t.match(await byHash({ grading: 'per-pair' }), near)
  t.same(await byHash({ grading: 'per-upload' }), [])
  t.equal((await ask(service, 'POST', '/v1/match', headers, { queries: [], grading: 'strict' })).statusCode, 400)

  const hma = hmaClient(service, headers)
  const signal = `signal_type=pdq&signal=${pdq}`
  t.match((await hma('GET', `/m/lookup?${signal}`)).body, { 'of-ours': [{}] })
  t.same((await hma('GET', `/m/lookup?${signal}&grading=per-upload`)).body, {})
  t.match((await hma('GET', `/m/raw_lookup?${signal}`)).body, { matches: [Number] })
  t.same((await hma('GET', `/m/raw_lookup?${signal}&grading=per-upload`)).body, { matches: [] })
  const lookUp = async (query: string) => {
    const file = { name: 'photo', fileName: 'a.png', contentType: 'image/png', bytes: Buffer.from(picture) }
    const form = multipart([file])
    return (await hma('POST', `/m/lookup${query}`, form.payload, form.headers)).body
  }
  t.match(await lookUp(''), { pdq: { 'of-ours': [{}] } })
  t.same(await lookUp('?grading=per-upload'), { pdq: {} })
  t.equal((await hma('GET', `/m/lookup?${signal}&grading=strict`)).status, 400)

  const clip = matroskaUpload()
  if (clip === undefined) return
  const byVideo = (query = '') => send(`/v1/match/videos${query}`, clip)
  const ofFrame = (await byVideo())?.frames?.[0]?.signals.find(({ type }) => type === 'pdq')
  await add([farFrom(ofFrame?.hash)])
  t.match((await byVideo())?.matches, near)
  t.same((await byVideo('?grading=per-upload'))?.matches, [])
})
