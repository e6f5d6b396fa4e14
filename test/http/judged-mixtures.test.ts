// Somebody who knows a person's hashes could put them into a false report of something harmless, and let platforms dispute that.

import t from 'tap'
import { openCase, randomHashText, startService, withBitsFlipped } from '../helpers/service.js'
import { ask, filmOf, operator, platform } from '../helpers/trust.js'

const pdq = (hash: string) => ({ type: 'pdq', hash, quality: 100 })
const areaOf = (hash: string, view: string) => ({ type: 'pdq-area', view, hash, quality: 100 })
const fileOf = (hash: string) => ({ type: 'sha256', hash, quality: 100 })

const hers = { pdq: randomHashText(), area: randomHashText(), piece: randomHashText(), file: randomHashText() }
const meme = { pdq: randomHashText(), area: randomHashText(), file: randomHashText() }
const her = [pdq(hers.pdq), areaOf(hers.area, 'whole'), areaOf(hers.piece, 'piece'), fileOf(hers.file)]

const FALSE_REPORTS = {
  'a picture with several wholes': { images: [{ signals: [pdq(meme.pdq), pdq(randomHashText()), pdq(hers.pdq)] }] },
  'a video of both': { videos: [filmOf([meme.pdq, randomHashText(), hers.pdq])] },
  'parts and file of hers': {
    images: [{ signals: [pdq(meme.pdq), areaOf(hers.area, 'crop'), areaOf(hers.piece, 'crop'), fileOf(hers.file)] }],
  },
  'her whole with the parts of something harmless': {
    images: [{ signals: [pdq(hers.pdq), areaOf(hers.area, 'whole'), areaOf(meme.area, 'crop')] }],
  },
  'the same as a frame of a video': {
    videos: [
      {
        durationMs: 1000,
        frames: [{ atMs: 0, signals: [pdq(hers.pdq), areaOf(hers.area, 'whole'), areaOf(meme.area, 'crop')] }],
      },
    ],
  },
}

for (const [kind, report] of Object.entries(FALSE_REPORTS)) {
  t.test(`a judgement about ${kind} keeps no other picture out`, async (t) => {
    const service = await startService(t)
    const one = await platform(service, 'one')
    const { headers } = await operator(service)
    const send = async (signals: object[]) => {
      const { url, headers } = await openCase(service.app)
      return await ask(service, 'POST', `${url}/hashes`, headers, { images: [{ signals }] })
    }
    const stranger = await openCase(service.app)
    const sent = () => ask(service, 'POST', `${stranger.url}/hashes`, stranger.headers, report)
    const { images, videos = [] } = (await sent()).json<Record<'images' | 'videos', { imageId: string }[]>>()
    const [entry] = [...images, ...videos]
    const asked = { queries: [{ signals: [pdq(meme.pdq), areaOf(meme.area, 'whole')] }] }
    const found = (await ask(service, 'POST', '/v1/match', one.headers, asked)).json()
    const { matchId } = found.results[0].matches[0]
    const said = { verdict: 'disputed', reason: 'harmless-content' }
    t.equal((await ask(service, 'POST', `/v1/matches/${matchId}/feedback`, one.headers, said)).statusCode, 200)
    const url = `/v1/signals/${entry?.imageId}/dispute/decision`
    t.equal((await ask(service, 'POST', url, headers, { outcome: 'upheld' })).statusCode, 200)

    const copy = [pdq(withBitsFlipped(hers.pdq, 6)), ...her.slice(1)]
    for (const signals of [her, copy, [pdq(hers.pdq)]]) t.equal((await send(signals)).statusCode, 201, 'while it is kept')
    await ask(service, 'DELETE', stranger.url, stranger.headers)
    for (const signals of [her, copy, [pdq(hers.pdq)]])
      t.equal((await send(signals)).statusCode, 201, 'once it is withdrawn')
    const again = await openCase(service.app)
    const repeated = await ask(service, 'POST', `${again.url}/hashes`, again.headers, report)
    t.match(repeated.json(), { code: 'known-harmless' }, 'the same report again')
  })
}
