// Watches of videos: compared frame by frame, also as a line of frames, and limited by how many hashes they have.

import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { uuidV7 } from '../../packages/core/src/ids.js'
import { CASES_BANK } from '../../packages/core/src/matching/bank.js'
import { type Signal, signalsByFrame } from '../../packages/core/src/matching/signal.js'
import { formatHash, parseHash } from '../../packages/hash/src/hash256.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import { createEventLoopScheduler, LOOP } from '../../src/services/load/event-loop-scheduler.js'
import { harmlessStep } from '../../src/services/matching/harmless/harmless-filter.js'
import { createMatchIds } from '../../src/services/matching/match-ids.js'
import { NO_PROBING } from '../../src/services/matching/match-steps.js'
import { rotated } from '../../src/services/matching/orientations.js'
import { createVideoMatcher } from '../../src/services/matching/video/video-matcher.js'
import { compareAll } from '../../src/services/watch/comparing.js'
import { nearWatches } from '../../src/services/watch/near-watches.js'
import { openStore } from '../../src/store/redis/client.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { createWatchStore } from '../../src/store/watch/watches.js'
import { matchesOfVideos, viewIdOf } from '../helpers/bare-matcher.js'
import { askedClip, EDITS, registeredClip } from '../helpers/clips.js'
import { bitsFrom } from '../helpers/hashes.js'
import { storeAt } from '../helpers/redis.js'
import { refused } from '../helpers/refusal.js'
import { imageWith } from '../helpers/registered-image.js'
import { del, post } from '../helpers/requests.js'
import { runs } from '../helpers/runs.js'
import { keyFor, randomHashText, startService, until } from '../helpers/service.js'

const service = await startService(t, { maxWatchesPerOrg: 40 })
const { app } = service
const store = await openStore(storeAt(service.redis.socket))
t.teardown(() => store.close())
const watches = createWatchStore(store, makeKeyring([Buffer.alloc(32, 7)]))
const ngo = await keyFor(service, 'ngo', ['signals:write', 'admin'], 'operator')
await post(app, '/v1/banks', { name: 'films' }, ngo.headers)
const platform = await keyFor(service, 'platform', ['match'])

const frameOf = (atMs: number, hash: string) => ({ atMs, signals: [{ type: 'pdq-area', hash, quality: 90 }] })
/** With a plain PDQ hash, by which the frames of a line are told apart. */
const lineFrameOf = (atMs: number, hash: string) => ({
  atMs,
  signals: [{ type: 'pdq', hash: randomHashText(), quality: 90 }, ...frameOf(atMs, hash).signals],
})
const at = (hash: string, bits: number) => {
  const parsed = parseHash(hash)
  return parsed === undefined ? '' : formatHash(bitsFrom(parsed, bits))
}

const FOUR_SECONDS = { durationMs: 4000, framesAtMs: [0, 1000, 2000, 3000] }
function at100(text: string): Signal {
  const hash = parseHash(text)
  if (hash === undefined) throw new Error('no hash')
  return { type: 'pdq', view: 'whole', quality: 100, hash }
}

async function watch(video: object, headers = platform.headers) {
  const answer = await post(app, '/v1/watch', { watches: [{ video }] }, headers)
  return answer.json<{ watches: { watchId: string }[] }>().watches[0]?.watchId ?? answer.body
}

async function register(frames: readonly object[], more: object = {}): Promise<void> {
  const video = { durationMs: 60_000, frames, ...more }
  const answer = await post(app, '/v1/banks/films/signals', { videos: [video] }, ngo.headers)
  t.equal(answer.statusCode, 201)
}

/** Ids and grades of the watches that found something, once all that was registered so far has been compared. */
async function found(): Promise<Map<string, string>> {
  const revision = Number(await store.ask((redis) => redis.get('{tabir}:revision')))
  await until(async () => ((await watches.cursor())?.revision ?? -1) >= revision)
  const entries = await store.ask((redis) => redis.xrangeBuffer('{tabir}:webhook-outbox', '-', '+'))
  return new Map(
    entries.flatMap(([, flat]): [string, string][] => {
      const field = (name: string) => flat[flat.findIndex((part) => part.toString() === name) + 1] ?? Buffer.alloc(0)
      const id = field('watch')
        .toString('hex')
        .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
      return field('kind').toString() === 'match.found' ? [[id, field('grade').toString()]] : []
    }),
  )
}

t.test('a watched video finds a video that is registered later: by a frame, by a line of frames, by its file', async (t) => {
  const hashes = Array.from({ length: 6 }, randomHashText)
  const [first = '', second = '', third = '', fourth = '', fifth = '', sixth = ''] = hashes
  const md5 = randomBytes(16).toString('hex')
  const ids = {
    byFrame: await watch({ frames: [frameOf(0, at(first, 20)), frameOf(1000, randomHashText())] }),
    byLine: await watch({ frames: [lineFrameOf(0, at(second, 50)), lineFrameOf(1000, at(third, 50))] }),
    ofOneFrame: await watch({ frames: [frameOf(0, at(fourth, 50)), frameOf(1000, randomHashText())] }),
    outOfLine: await watch({ frames: [lineFrameOf(0, at(fifth, 50)), lineFrameOf(9000, at(sixth, 50))] }),
    byFile: await watch({ frames: [frameOf(0, randomHashText())], md5 }),
  }
  // An organisation is told of a video once, so each part is registered on its own.
  await register([frameOf(0, first)])
  await register([lineFrameOf(5000, second), lineFrameOf(6000, third)])
  await register([frameOf(0, fourth)])
  await register([lineFrameOf(0, fifth), lineFrameOf(2000, sixth)])
  await register([frameOf(0, randomHashText())], { md5 })
  const told = await found()
  t.equal(told.get(ids.byFrame), 'near')
  t.equal(told.get(ids.byLine), 'near')
  t.equal(told.get(ids.byFile), 'near', 'two files can have one MD5')
  t.notOk(told.has(ids.ofOneFrame), 'one frame that is farther than pictures may be')
  t.notOk(told.has(ids.outOfLine))
})

t.test('a video counts as one watch for each eight hashes, until it is removed', async (t) => {
  const many = await keyFor(service, 'many', ['match'])
  const framesOf = (count: number) => Array.from({ length: count }, (_, i) => frameOf(i * 1000, randomHashText()))
  const long = await watch({ frames: framesOf(8 * 39) }, many.headers)
  const one = await watch({ frames: framesOf(1) }, many.headers)
  const picture = { watches: [{ signals: [{ type: 'pdq', hash: randomHashText() }] }] }
  refused(t, await post(app, '/v1/watch', picture, many.headers), 'watches-full')
  t.equal((await del(app, `/v1/watch/${one}`, many.headers)).statusCode, 204)
  t.equal((await post(app, '/v1/watch', picture, many.headers)).statusCode, 201)
  refused(t, await post(app, '/v1/watch', { watches: [{ video: { frames: framesOf(9) } }] }, many.headers), 'watches-full')
  t.equal((await del(app, `/v1/watch/${long}`, many.headers)).statusCode, 204)
  await del(app, `/v1/watch/${long}`, many.headers)
  t.equal(
    (await post(app, '/v1/watch', { watches: [{ video: { frames: framesOf(8 * 39) } }] }, many.headers)).statusCode,
    201,
  )
  refused(t, await post(app, '/v1/watch', picture, many.headers), 'watches-full')
  const list = await app.inject({ url: '/v1/watch', headers: many.headers })
  for (const { watchId } of list.json<{ watches: { watchId: string }[] }>().watches)
    await del(app, `/v1/watch/${watchId}`, many.headers)
  t.same(await store.ask((redis) => redis.keys('{tabir}:watch-more:*')), [], 'nothing is left of the count')
})

t.test('a video without a usable frame is refused, and forms among its frames are left out', async (t) => {
  const both = { signals: [{ type: 'pdq', hash: randomHashText() }], video: { frames: [frameOf(0, randomHashText())] } }
  const unordered = { video: { frames: [frameOf(1000, randomHashText()), frameOf(0, randomHashText())] } }
  for (const watched of [both, {}, unordered, { video: { frames: [] } }, { video: { ...both.video, md5: 'A' } }])
    refused(t, await post(app, '/v1/watch', { watches: [watched] }, platform.headers), 'request-invalid')
  const hash = randomHashText()
  const form = { ...frameOf(0, hash), isForm: true }
  const refusedOne = await post(app, '/v1/watch', { watches: [{ video: { frames: [form] } }] }, platform.headers)
  t.match(refusedOne.json(), { watches: [{ problem: { code: 'quality-too-low' } }] })
  const id = await watch({ frames: [form, frameOf(1000, randomHashText())] })
  await register([frameOf(0, hash)])
  t.notOk((await found()).has(id))
  const [stored] = await watches.get([id])
  t.same(stored?.video, { durationMs: 1000, framesAtMs: [1000] })
})

t.test('one registration is compared with at most 8,000 hashes of an organisation', async (t) => {
  const film = registeredClip(1, 2)
  const catalogue = new Catalogue()
  for (const [frames, most] of [
    [0, 1000],
    [4, 20],
  ] as const) {
    const signals = Array.from({ length: 400 }, (_, i) => ({ ...at100(randomHashText()), frame: Math.floor(i / 100) }))
    const watched = frames === 0 ? imageWith([at100(randomHashText())]) : { ...imageWith(signals), video: FOUR_SECONDS }
    let compared = 0
    const noMatch = async () => {
      compared++
      return []
    }
    const near = Array.from({ length: 1100 }, (_, i) => ({
      watchId: `${i}`.padStart(4, '0'),
      orgId: 'org',
      frames: Array.from({ length: frames }, (_, frame) => frame),
    }))
    await compareAll(
      {
        watches: { ...watches, get: async () => [watched] },
        index: { start() {}, reached: async () => {}, near: async () => near, size: 1, close: async () => {} },
        images: {
          get: async () => [film],
          async *inPieces() {
            yield [film]
          },
        },
        replica: { reached: async () => {}, catalogue },
        matcher: { match: noMatch, matchVideos: noMatch },
        matchIds: { idFor: () => '' },
        now: Date.now,
        onError: (error) => t.fail(String(error)),
      },
      ['image'],
      new Map(),
    )
    t.equal(compared, most)
  }
})

// The index of watches tells which frames are near. Only these are compared, and the result must be that of the whole video.
t.test('the near frames of a watch give the same answer as all of them', async (t) => {
  const film = registeredClip(1, 8)
  const filmId = uuidV7(Date.now(), randomBytes(10))
  const [registry, watched] = [new Catalogue(), new Catalogue()]
  for (const [id, image] of [
    [filmId, film],
    [uuidV7(Date.now(), randomBytes(10)), registeredClip(2, 6)],
  ] as const)
    registry.put(id, image)
  const matchIds = createMatchIds(Buffer.alloc(32, 1))
  const matcher = createVideoMatcher({
    harmless: harmlessStep,
    replica: { catalogue: registry },
    matchIds,
    viewIdOf,
    matchEvents: { note() {} },
    probing: NO_PROBING,
    scheduler: createEventLoopScheduler(LOOP, () => performance.now()),
  })
  let some = 0
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(1, 2, 3),
      fc.integer({ min: 0, max: 4000 }),
      fc.constantFrom(...Object.values(EDITS)),
      async (clip, fromMs, edit) => {
        const asked = askedClip({ clip, fromMs, seconds: 3, edit })
        const signals = asked.flatMap(({ signals }, frame) =>
          signals.flatMap(({ type, view, quality, hashes: [hash] }) =>
            hash === undefined ? [] : [{ type, view, quality, hash, frame }],
          ),
        )
        const image = {
          ...imageWith(signals),
          bank: 'org',
          video: { durationMs: 3000, framesAtMs: asked.map(({ atMs }) => atMs) },
        }
        const id = uuidV7(Date.now(), randomBytes(10))
        watched.put(id, image)
        const [near] = (await nearWatches(watched, film.signals, CASES_BANK, () => performance.now())).filter(
          ({ watchId }) => watchId === id,
        )
        const frames = signalsByFrame(image)
          .slice(1)
          .map((own, i) => ({
            atMs: image.video.framesAtMs[i] ?? 0,
            signals: own.map(({ hash, ...signal }) => ({ ...signal, hashes: rotated(signal.type, signal.view, hash) })),
          }))
        const options = { orgId: 'org', banks: undefined, thresholdBits: undefined, imageId: filmId }
        const [all] = await matchesOfVideos(matcher, [{ frames }], options)
        const [few] = await matchesOfVideos(
          matcher,
          [{ frames: frames.filter((_, i) => near?.frames.includes(i)) }],
          options,
        )
        t.same(few, all)
        t.ok(
          all?.every(({ matchId }) => matchId === matchIds.idFor('org', filmId)),
          'about the registered film only',
        )
        if (all?.length === 1) some++
        watched.remove(id)
      },
    ),
    { numRuns: runs(12) },
  )
  t.ok(some > 3, 'some are copies')
})
