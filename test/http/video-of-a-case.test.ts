// A video of a case from its registration to its withdrawal, as platforms and feed followers see it.

import t from 'tap'
import type { Signal } from '../../packages/core/src/matching/signal.js'
import { parseHash } from '../../packages/hash/src/hash256.js'
import type { NewImage } from '../../src/services/intake/registration.js'
import { readFeed } from '../helpers/feed.js'
import { keyFor, openCase, randomHashText, startService, withBitsFlipped } from '../helpers/service.js'
import { ask } from '../helpers/trust.js'
import { longestVideo } from '../store/sample-images.js'

function signalOf(type: Signal['type'], text: string, frame?: number): Signal {
  const hash = parseHash(text)
  if (hash === undefined) throw new Error('a hash is one')
  return { ...{ type, view: 'whole', quality: 100, hash }, ...(frame !== undefined && { frame }) }
}

t.test('a video is one image of its case and is found by each frame until its withdrawal', async (t) => {
  const service = await startService(t)
  const reader = await keyFor(service, 'reader', ['feed', 'match'])
  const her = await openCase(service.app)
  const own = await service.services.cases.own(her.caseNumber, her.token)
  const texts = Array.from({ length: 12 }, randomHashText)
  const file = randomHashText()
  const video: NewImage = {
    signals: [signalOf('sha256', file), ...texts.map((text, frame) => signalOf('pdq', text, frame))],
    category: 'nude',
    video: { durationMs: 20_000, framesAtMs: texts.map((_, i) => 1_600 * i) },
  }
  const [id] = await service.services.registration.forCase(own, [video])
  t.same(await service.services.registration.forCase(own, [video]), [id], 'registering it again gives the same image')
  const still: NewImage = { signals: [signalOf('pdq', texts[0] ?? '')], category: undefined }
  const [other] = await service.services.registration.forCase(own, [still])
  t.not(other, id, 'a frame as a picture is another image')

  const found = async (type: string, hash: string) => {
    const answer = await ask(service, 'POST', '/v1/match', reader.headers, { queries: [{ signals: [{ type, hash }] }] })
    type Matches = { readonly grade: string; readonly atMs?: number; readonly matchId: string }[]
    return answer.json<{ results: { matches: Matches }[] }>().results[0]?.matches ?? []
  }
  for (const [i, text] of texts.entries()) {
    const atMs = Math.floor((1_600 * i) / 1_000) * 1_000
    const matches = (await found('pdq', withBitsFlipped(text, 8))).filter((match) => match.atMs !== undefined)
    t.match(matches, [{ grade: 'near', atMs }])
  }
  const [byFile] = await found('sha256', file)
  t.equal(byFile?.grade, 'exact')
  t.notOk(byFile && 'atMs' in byFile, 'a match by file has no time')

  const lines = (await readFeed(service, reader.headers)).filter((line) => line.op === 'upsert')
  t.equal(lines.length, 2)
  const line = lines.find(({ video }) => video !== undefined)
  t.match(line, { id: byFile?.matchId, video: { durationMs: 20_000 }, category: 'nude' })
  t.same(
    line?.signals.map(({ hash, atMs }) => [hash, atMs]),
    [[file, undefined], ...texts.map((text, i) => [text, 1_600 * i])],
  )

  const shown = await service.app.inject({ url: her.url, headers: her.headers })
  t.match(shown.json(), { images: 2 })
  const withdrawn = await service.app.inject({ method: 'DELETE', url: her.url, headers: her.headers })
  t.equal(withdrawn.statusCode, 200, withdrawn.body)
  t.match(withdrawn.json(), { images: 2, hashes: 14 })
  for (const text of texts) t.same(await found('pdq', text), [])
  t.same(await found('sha256', file), [])
  t.equal((await readFeed(service, reader.headers)).filter((line) => line.op === 'upsert').length, 0)
})

t.test('a file that is hashed again is the same video, although other frames were decoded', async (t) => {
  const service = await startService(t)
  const send = async (her: Awaited<ReturnType<typeof openCase>>, file: string, isFromFile?: true) => {
    const own = await service.services.cases.own(her.caseNumber, her.token)
    const video: NewImage = {
      signals: [signalOf('sha256', file), signalOf('pdq', randomHashText(), 0)],
      category: undefined,
      video: { durationMs: 2_000, framesAtMs: [0] },
      ...(isFromFile && { isFromFile }),
    }
    const [id] = await service.services.registration.forCase(own, [video])
    return id
  }
  const [her, other] = [await openCase(service.app), await openCase(service.app)]
  const file = randomHashText()
  const [first, second] = await Promise.all([send(her, file, true), send(her, file, true)])
  t.equal(second, first, 'in the same moment')
  t.equal(await send(her, file, true), first, 'and later')
  t.match((await service.app.inject({ url: her.url, headers: her.headers })).json(), { images: 1 })
  t.not(await send(her, randomHashText(), true), first)
  t.not(await send(other, file, true), first, 'another case knows nothing of it')
  t.not(await send(her, file), first, 'a hash of a file that a client states identifies nothing')
})

function longest(seed: number): NewImage {
  const { signals, video } = longestVideo(seed)
  return { signals, category: undefined, ...(video !== undefined && { video }) }
}

t.test('the longest videos use up the quota of a case by their size, before their number does', async (t) => {
  const service = await startService(t, { trustLimits: { maxImagesPerNewCase: 50 } })
  const her = await openCase(service.app)
  const own = await service.services.cases.own(her.caseNumber, her.token)
  const send = (image: NewImage) => service.services.registration.forCase(own, [image])
  for (let seed = 0; seed < 5; seed++) await send(longest(seed))
  await t.rejects(send(longest(5)), { code: 'case-full' })
  await send(longest(0))
  await t.rejects(send({ signals: [signalOf('pdq', randomHashText())], category: undefined }), { code: 'case-full' })
  t.match((await service.app.inject({ url: her.url, headers: her.headers })).json(), { images: 5 })
})
