// The first promise: no image is ever stored. Pictures that carry a text are sent in every way, valid and invalid; then
// everything that was written anywhere is searched for that text.

import { once } from 'node:events'
import t from 'tap'
import { HashImageJob } from '../src/jobs/hash-image-job.js'
import { decode } from '../workers/media/decode.js'
import { canary, canaryHeic, findCanary } from './helpers/canary.js'
import {
  activeJobs,
  asJson,
  contentOf,
  everything,
  formsOfHash,
  fresh,
  makeKey,
  open,
  openCase,
  pick,
  pidOf,
  plant,
  send,
  startApi,
  stopApi,
} from './helpers/canary-world.js'
import { sendInEveryWrongWay } from './helpers/canary-wrong-ways.js'
import { imagePart, images, multipart } from './helpers/multipart.js'
import { fetchPatiently } from './helpers/patiently.js'
import { file, startPictures } from './helpers/picture-server.js'
import { childrenOf, isAlive } from './helpers/processes.js'
import { codeOf, until } from './helpers/service.js'
import { beginUpload } from './helpers/sockets.js'
import { startWorkers } from './helpers/workers.js'

/** BullMQ's own fields: counts, times and names, but no result and no reason of a failure. */
const JOB_FIELDS = ['name', 'opts', 'timestamp', 'delay', 'priority', 'processedOn', 'pb', 'ats', 'atm', 'stc']

t.test('pictures leave no trace anywhere', async (t) => {
  const bird = await canary(4711)
  const world = await open(t)
  const { redis, monitored, place } = world
  const key = await makeKey(redis)
  // Another server has them too, under paths and names with the text.
  const named = `/${bird.pattern.toString()}`
  const elsewhere = await startPictures(
    t,
    Object.fromEntries(
      [...bird.accepted, ...bird.refused].map((one, i) => [`${named}/${i}`, file(fresh(one).bytes, one.contentType)]),
    ),
  )
  const fetching = { TABIR_FETCH_FROM: elsewhere.origin }
  const [api, second] = await Promise.all([startApi(t, world, fetching), startApi(t, world)])
  const her = await openCase(api)
  const herSecond = { ...her, url: her.url.replace(api.url, second.url) }
  const platform = { url: `${api.url}/v1/match/images`, headers: { authorization: `Bearer ${key}` } }
  const picture = () => fresh(pick(bird.accepted))
  const first = await startWorkers(t, redis, { TMPDIR: place })

  // The slowest first: two pictures whose worker is killed while it has them. One api waits for the whole lifetime of a
  // picture, the other is told to stop.
  const stopped = childrenOf(pidOf(first))
  for (const pid of stopped) process.kill(pid, 'SIGSTOP')
  const orphaned = send(platform, images([picture()]))
  const alsoOrphaned = send(herSecond, images([picture()])).catch(() => undefined)
  await until(async () => (await activeJobs(world)).length === 2)
  // Both stay listed until a worker finds them stalled.
  const orphans = await activeJobs(world)
  const underWay = async () => (await activeJobs(world)).filter((id) => !orphans.includes(id)).length
  first.kill('SIGKILL')
  const stopping = stopApi(second)
  for (const pid of stopped) process.kill(pid, 'SIGCONT')
  const worker = await startWorkers(t, redis, { TMPDIR: place })
  // Its orphan blocks the queue at first, and platforms are refused with Retry-After, until an admitted probe overtakes it.
  await until(async () => (await send(platform, images([picture()]))).status === 200)

  const hashes: string[] = []
  await t.test('pictures are accepted and refused on both routes, alone and together', async (t) => {
    for (const route of [her, platform]) {
      for (const one of bird.accepted) {
        const answer = await send(route, images([one]))
        t.equal(answer.status, route === her ? 201 : 200, `${contentOf(one)}: ${answer.body}`)
        hashes.push(...(answer.body.match(/\b[0-9a-f]{64}\b/g) ?? []))
      }
      for (const one of bird.refused) {
        const { status } = await send(route, images([one]))
        const isRefused = status >= 400 && status < 500
        const isReadByQueries = route === platform && /truncated|wrong-crc|large\.jpg/.test(one.name)
        t.ok(isRefused || isReadByQueries || one.name.includes('long.gif'), `${contentOf(one)}: ${status}`)
      }
      const all = [...bird.refused, ...bird.accepted].slice(-20)
      t.ok([200, 201].includes((await send(route, images(all))).status), 'together')
      t.equal((await send(route, images([...all, ...bird.accepted, ...bird.accepted]))).status, 413, 'too many')
    }
    t.ok(hashes.length >= 3 * bird.accepted.length, 'their hashes are known')
  })

  await t.test('an upload gate gets a verdict for each file, as a form or alone', async (t) => {
    const gate = { url: `${api.url}/v1/verdict`, headers: platform.headers }
    for (const one of [...bird.accepted, ...bird.refused])
      for (const body of [
        images([one], 'file'),
        { payload: fresh(one).bytes, headers: { 'content-type': one.contentType } },
      ]) {
        const { status } = await send(gate, body)
        t.ok([200, 202, 451].includes(status), `${contentOf(one)}: ${status}`)
      }
  })

  const phone = await canaryHeic(4711, decode)
  await t.test('HEIC is accepted, and truncated HEIC is refused for registration', async (t) => {
    t.same(findCanary(phone.picture.bytes, phone.needles), ['data of HEIC'], 'the search finds a value that is present')
    const cut = { ...phone.picture, bytes: phone.picture.bytes.subarray(0, 15_000) }
    t.equal((await send(platform, images([fresh(phone.picture), fresh(cut)]))).status, 200)
    t.equal((await send(her, images([fresh(cut)]))).status, 422)
    const answer = await send(her, images([fresh(phone.picture)]))
    t.equal(answer.status, 201, answer.body)
  })

  await t.test('HMA’s routes behave the same with the key in a header and in the path', async (t) => {
    const made = { url: `${api.url}/c/banks`, headers: platform.headers }
    t.equal((await send(made, asJson({ name: 'CANARY' }))).status, 201)
    const strangers = { authorization: `Bearer ${bird.pattern.toString()}` }
    for (const path of ['/h/hash', '/m/lookup', '/c/bank/CANARY/content']) {
      for (const one of [...bird.accepted, ...bird.refused.slice(0, 3)]) {
        const inHeader = await send({ url: api.url + path, headers: platform.headers }, images([one], 'photo'))
        const inAddress = await send({ url: `${api.url}/hma/${key}${path}`, headers: {} }, images([one], 'photo'))
        t.equal(inAddress.status, inHeader.status, `${path}: ${contentOf(one)}`)
        t.equal(inHeader.status === 200, bird.accepted.includes(one), `${path}: ${contentOf(one)}`)
        t.same(findCanary(Buffer.from(inHeader.body + inAddress.body), bird.needles), [], path)
        hashes.push(...(inHeader.body.match(/\b[0-9a-f]{64}\b/g) ?? []))
      }
      const wrong = images(bird.accepted.slice(0, 1), bird.pattern.toString())
      t.equal((await send({ url: api.url + path, headers: platform.headers }, wrong)).status, 400, 'another field name')
      t.equal((await send({ url: api.url + path, headers: strangers }, images(bird.accepted, 'photo'))).status, 401)
    }
    const note = multipart([
      ...bird.accepted.slice(0, 1).map((one) => imagePart(one, 'photo')),
      { name: 'note', bytes: bird.pattern },
    ])
    t.equal((await send({ url: `${api.url}/c/bank/CANARY/content`, headers: platform.headers }, note)).status, 200)
  })

  await t.test('pictures are sent in every invalid way', async (t) => {
    const [hash = ''] = hashes
    await sendInEveryWrongWay(t, { bird, api, her, platform, key, hash })
  })

  await t.test('clients leave during an upload and while they wait', async () => {
    const port = Number(new URL(api.url).port)
    for (const { url, headers } of [her, platform]) {
      const body = images(bird.accepted.map(fresh))
      const { pathname } = new URL(url)
      const sending = await beginUpload(port, pathname, headers, body, body.payload.length >> 1)
      await until(() => sending.bytesWritten > body.payload.length >> 1)
      sending.destroy()

      const children = childrenOf(pidOf(worker))
      for (const pid of children) process.kill(pid, 'SIGSTOP')
      const waiting = await beginUpload(port, pathname, headers, images([picture()]))
      await until(async () => (await underWay()) >= 1)
      waiting.destroy()
      await once(waiting, 'close')
      for (const pid of children) process.kill(pid, 'SIGCONT')
      await until(async () => (await underWay()) === 0)
    }
  })

  await t.test('a decoder crashes with pictures at hand', async (t) => {
    const children = childrenOf(pidOf(worker))
    for (const pid of children) process.kill(pid, 'SIGSTOP')
    const answers = [her, platform].map((route) => send(route, images([picture()])))
    await until(async () => (await underWay()) === 2)
    for (const pid of children) process.kill(pid, 'SIGKILL')
    t.same(
      (await Promise.all(answers)).map(({ status }) => status),
      [201, 200],
      'another child took over',
    )
  })

  await t.test('a withdrawn case refuses a picture', async (t) => {
    const other = await openCase(api)
    t.equal((await fetchPatiently(other.caseUrl, { method: 'DELETE', headers: other.headers })).status, 200)
    t.equal((await send(other, images([picture()]))).status, 410)
  })

  await t.test('a worker is killed with pictures at hand', async (t) => {
    await until(() => stopped.every((pid) => !isAlive(pid)))
    t.equal(await stopping, 0, 'an api with a picture that waits stops')
    t.equal(codeOf((await alsoOrphaned) ?? { body: '' }), 'hashing-unavailable')
    t.equal(codeOf(await orphaned), 'hashing-unavailable')
  })

  await t.test('HMA’s routes fetch pictures from an address', async (t) => {
    let fetched = 0
    for (const [i, one] of [...bird.accepted, ...bird.refused].entries()) {
      const url = encodeURIComponent(`${elsewhere.origin}${named}/${i}?${bird.pattern.toString()}`)
      const routes = [
        [`/h/hash?url=${url}`, 'GET'],
        [`/m/lookup?url=${url}`, 'GET'],
        [`/c/bank/CANARY/content?url=${url}`, 'POST'],
      ] as const
      // Each picture by one of them, and the first ones by all.
      for (const [path, method] of i < 2 ? routes : routes.filter((_, route) => route === i % 3)) {
        const answer = await fetchPatiently(api.url + path, { method, headers: platform.headers })
        fetched++
        const body = await answer.text()
        t.ok(
          answer.status === 200 || !bird.accepted.includes(one),
          `${path.slice(0, 10)} ${contentOf(one)}: ${answer.status}`,
        )
        t.ok(answer.status < 500, contentOf(one))
        t.same(findCanary(Buffer.from(body), bird.needles), [], 'the answer')
        hashes.push(...(body.match(/\b[0-9a-f]{64}\b/g) ?? []))
      }
    }
    t.equal(elsewhere.asked.length, fetched)
    const nowhere = encodeURIComponent(`https://127.0.0.1${named}`)
    t.equal((await fetchPatiently(`${api.url}/h/hash?url=${nowhere}`, { headers: platform.headers })).status, 400)
  })

  await t.test('an api is killed with a waiting picture', async () => {
    await until(async () => (await underWay()) === 0) // a job ends a moment after its answer has arrived
    worker.kill('SIGKILL')
    await once(worker, 'exit')
    const lost = send(platform, images([picture()])).catch(() => {})
    await until(async () => (await world.client.zcard('{tabir}:hash-image:prioritized')) === 1)
    api.process.kill('SIGKILL')
    await lost
  })

  const outputs = {
    api: api.output,
    'the second api': second.output,
    worker: worker.output,
    'the first worker': first.output,
  }

  await t.test('no trace of a picture is left anywhere', async (t) => {
    for (const [what, bytes] of await everything(world, outputs)) {
      t.same(findCanary(bytes, [...bird.needles, ...phone.needles]), [], `${what}, ${bytes.length} bytes`)
    }
    t.ok(api.output.join('').includes('"route":"/v1/match/images"'), 'there was a log to search')
  })

  await t.test('no hash is left anywhere except sealed', async (t) => {
    const needles = [...new Set(hashes)].flatMap(formsOfHash)
    for (const [what, bytes] of await everything(world, outputs)) t.same(findCanary(bytes, needles), [], what)
  })

  await t.test('the queue held only where the pictures waited', async (t) => {
    const given = [...monitored().matchAll(/"(\{\\"handoffUrl\\":[^ ]*\})"/g)].map(([, text]) =>
      text?.replaceAll('\\"', '"'),
    )
    t.equal(new Set(given).size, Number(await world.client.get('{tabir}:hash-image:id')), 'one text per job')
    for (const text of given) t.ok(HashImageJob.safeParse(JSON.parse(text ?? '')).success)

    const unfinished = [...orphans, ...(await world.client.zrange('{tabir}:hash-image:prioritized', '0', '-1'))]
    for (const name of await world.client.keys('{tabir}:hash-image:*')) {
      const id = /:(\d+)$/.exec(name)?.[1]
      if (id === undefined) continue
      t.ok(unfinished.includes(id), 'nothing of a finished job is left')
      const { data, ...rest } = await world.client.hgetall(name)
      t.ok(HashImageJob.safeParse(JSON.parse(data ?? '')).success)
      t.same(
        Object.keys(rest).filter((field) => !JOB_FIELDS.includes(field)),
        [],
      )
    }
  })

  await t.test('the search finds planted traces of every kind', async (t) => {
    await plant(world, bird)
    const found = new Map<string, string[]>()
    for (const [what, bytes] of await everything(world, outputs)) found.set(what, findCanary(bytes, bird.needles))
    for (const type of ['string', 'hash', 'list', 'set', 'zset', 'stream', 'hex', 'base64', 'pixels']) {
      t.not(found.get(`key planted:${type}`)?.length, 0, type)
    }
    for (const what of [
      'key planted:hash',
      'the log of redis',
      'the dump of redis',
      'a file in a folder',
      'the monitor',
      'names of keys',
    ]) {
      t.ok((found.get(what)?.length ?? 0) > 0, what)
    }
  })
})
