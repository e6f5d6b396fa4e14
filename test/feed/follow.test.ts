// A platform that follows the feed and matches locally finds the same as the service, also after a restart.

import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import { FeedError, openFeed, parseHash } from '../../packages/feed/src/follow.js'
import { formatHash } from '../../packages/hash/src/hash256.js'
import { hashNamed, symmetricOf } from '../helpers/hashes.js'
import { del } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText, startService, until, withBitsFlipped } from '../helpers/service.js'
import { SMALL_DISK, smallDisk } from '../helpers/small-disk.js'
import { ask, caseWithPicture, matchesOf, vouchedCase } from '../helpers/trust.js'

async function world(t: Test) {
  const service = await startService(t)
  const baseUrl = await service.app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => service.app.server.closeAllConnections()) // fetch keeps connections for its next request
  const { key, headers } = await keyFor(service, 'follower', ['feed', 'match'])
  const ngo = await keyFor(service, 'ngo', ['signals:write'], 'ngo')
  await ask(service, 'POST', '/v1/banks', ngo.headers, { name: 'mine' })
  const handIn = async (hashes: string[]) => {
    const signals = hashes.map((hash) => ({ type: 'pdq', hash }))
    const answer = await ask(service, 'POST', '/v1/banks/mine/signals', ngo.headers, { signals })
    return answer.json<{ signals: { signalId: string }[] }>().signals.map(({ signalId }) => signalId)
  }
  const folder = mkdtempSync(join(tmpdir(), 'tabir-feed-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return { service, baseUrl, key, headers, ngo, handIn, file: join(folder, 'feed.ndjson') }
}

const asked = (hash: string, view?: 'deframed') => [
  { type: view === undefined ? ('pdq' as const) : ('pdq-area' as const), hash: hashOf(hash), ...(view && { view }) },
]

function hashOf(text: string) {
  const hash = parseHash(text)
  if (hash === undefined) throw new Error('no hash')
  return hash
}

t.test('local matches equal those of the service, follow withdrawals and survive a restart', async (t) => {
  const { service, baseUrl, key, headers, ngo, handIn, file } = await world(t)
  const hers = await caseWithPicture(service)
  const hashes = Array.from({ length: 300 }, randomHashText)
  const near = hashes.slice(0, 20).map((hash) => withBitsFlipped(hash, 20))
  const ids = await handIn([...hashes, ...near])
  const her = await openCase(service.app)
  const view = { type: 'pdq-area', hash: formatHash(hashNamed('view')), quality: 80, view: 'crop' }
  const symmetric = { ...view, hash: formatHash(symmetricOf(hashNamed('symmetric'))), view: 'whole' }
  await ask(service, 'POST', `${her.url}/hashes`, her.headers, { images: [{ signals: [view, symmetric] }] })

  const feed = await openFeed({ baseUrl, key, file })
  await feed.sync()
  t.equal(feed.size, 322)
  for (const hash of [...hashes.slice(0, 15), hers.hash]) {
    for (const bits of [0, 11, 31, 32]) {
      const needle = withBitsFlipped(hash, bits)
      const local = feed.match(asked(needle)).map(({ id, bank, tier, disputed }) => ({ matchId: id, bank, tier, disputed }))
      const remote = await matchesOf(service, headers, needle)
      t.same(
        local,
        remote.map(({ grade: _, ...rest }) => rest),
        `${bits} bits away: the same matches in the same order with the same ids`,
      )
    }
  }
  t.match(feed.match(asked(withBitsFlipped(view.hash, 40), 'deframed')), [{ distanceBits: 40, view: 'crop', bank: 'cases' }])
  t.same(feed.match(asked(withBitsFlipped(view.hash, 53), 'deframed')), [])
  const plain = (bits: number) => asked(withBitsFlipped(view.hash, bits), 'deframed').map((one) => ({ ...one, quality: 69 }))
  t.match(feed.match(plain(34)), [{ distanceBits: 34 }])
  t.same(feed.match(plain(35)), [], 'a view of low quality must be nearer, as in the service')
  t.match(feed.match(asked(withBitsFlipped(symmetric.hash, 22), 'deframed')), [{ distanceBits: 22 }])
  t.same(feed.match(asked(withBitsFlipped(symmetric.hash, 23), 'deframed')), [], 'a symmetric view must be nearer too')
  t.match(feed.match(asked(withBitsFlipped(hers.hash, 50)), 60), [{ distanceBits: 50 }], 'up to the requested threshold')

  const stopping = new AbortController()
  const running = feed.run(stopping.signal)
  await del(service.app, hers.url, hers.headers)
  await until(() => feed.match(asked(hers.hash)).length === 0)
  await del(service.app, `/v1/banks/mine/signals/${ids[0]}`, ngo.headers)
  const late = randomHashText()
  await handIn([late])
  await until(() => feed.match(asked(late)).length === 1)
  stopping.abort()
  await running

  const text = readFileSync(file, 'utf8')
  t.notMatch(text, hers.hash, 'the withdrawn hash is not in the file')
  t.match(text, late)
  t.equal(statSync(file).mode & 0o777, 0o600, 'readable by its owner only')

  const again = await openFeed({ baseUrl, key, file })
  t.equal(again.size, feed.size, 'loaded before any request')
  t.equal(again.match(asked(late)).length, 1)
  await ask(service, 'DELETE', `/v1/banks/mine/signals/${ids[40]}`, ngo.headers)
  await again.sync()
  t.same(again.match(asked(hashes[40] ?? '')), [], 'it continues from its cursor')
})

t.test('a view beyond the threshold alone matches locally with a corroborating view, as in the service', async (t) => {
  const { service, baseUrl, key, headers, file } = await world(t)
  const her = await vouchedCase(service)
  const [whole, part] = [formatHash(hashNamed('whole')), formatHash(hashNamed('part'))]
  const signal = (view: 'whole' | 'deframed', hash: string) => ({ type: 'pdq-area' as const, view, quality: 100, hash })
  const signals = [signal('whole', whole), signal('deframed', part)]
  await ask(service, 'POST', `${her.url}/hashes`, her.headers, { images: [{ signals }] })
  const feed = await openFeed({ baseUrl, key, file })
  await feed.sync()

  for (const [wholeBits, partBits, isFound] of [
    [42, undefined, true],
    [43, undefined, false],
    [52, undefined, false],
    [48, 60, true],
    [52, 60, true],
    [52, 61, false],
    [48, 61, false],
    [53, 53, false],
  ] as const) {
    const near = [
      signal('whole', withBitsFlipped(whole, wholeBits)),
      ...(partBits === undefined ? [] : [signal('deframed', withBitsFlipped(part, partBits))]),
    ]
    const local = feed.match(near.map(({ type, view, hash }) => ({ type, view, hash: hashOf(hash) })))
    const query = { queries: [{ signals: near }], transforms: false }
    const answer = await ask(service, 'POST', '/v1/match', headers, query)
    const { results } = answer.json<{ results: { matches: { matchId: string }[] }[] }>()
    const remote = results[0]?.matches.map(({ matchId }) => matchId)
    t.equal(answer.statusCode, 200, answer.body)
    t.equal(remote?.length, isFound ? 1 : 0, `${wholeBits} ${partBits}`)
    t.same(
      local.map(({ id }) => id),
      remote,
      `${wholeBits} ${partBits}`,
    )
  }
  const asIs = { ...signal('whole', ''), hash: hashOf(withBitsFlipped(whole, 48)) }
  const mirrored = { ...signal('deframed', ''), hash: hashOf(withBitsFlipped(part, 60)), transform: 'flipY' as const }
  t.same(feed.match([asIs, mirrored]), [], 'a view with another transform does not corroborate')
})

t.test('a complete snapshot removes images that it does not name, also after an interruption', async (t) => {
  const lines = (...all: object[]) => `${all.map((line) => JSON.stringify(line)).join('\n')}\n`
  const hash = randomHashText()
  const upsert = (id: string) => ({
    op: 'upsert',
    id,
    bank: 'b',
    tier: 'verified',
    category: null,
    disputed: false,
    signals: [
      { type: 'pdq', view: 'whole', quality: 9, hash },
      { type: 'of-a-newer-version', hash: 1 },
    ],
  })
  const cursor = (place: string, more: boolean) => ({ op: 'cursor', cursor: place, more })
  const answers: Record<string, [number, string]> = {
    '': [
      200,
      lines({ op: 'snapshot-begin' }, upsert('a'), upsert('b'), upsert('c'), { op: 'snapshot-end' }, cursor('1', false)),
    ],
    1: [400, '{"code":"cursor-unknown"}'],
    2: [200, lines(upsert('d'), { op: 'snapshot-end' }, cursor('3', false))],
    3: [200, lines({ op: 'tombstone', id: 'd' }).slice(0, -1)],
  }
  const server = createServer((request, response) => {
    const [status, body] = answers[new URL(request.url ?? '', 'http://x').searchParams.get('after') ?? ''] ?? [500, '']
    response.writeHead(status).end(body)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  const baseUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  const folder = mkdtempSync(join(tmpdir(), 'tabir-feed-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'feed.ndjson')
  const ids = (feed: Awaited<ReturnType<typeof openFeed>>) => feed.match(asked(hash)).map(({ id }) => id)

  const feed = await openFeed({ baseUrl, key: 'k', file })
  await feed.sync()
  t.same(ids(feed), ['a', 'b', 'c'])
  answers[''] = [200, lines({ op: 'snapshot-begin' }, upsert('c'), cursor('2', true))]
  answers['2'] = [503, '{"code":"store-unavailable"}']
  await t.rejects(feed.sync(), new FeedError('refused', 'store-unavailable'))
  t.same(ids(feed), ['a', 'b', 'c'], 'images stay until the snapshot is complete')
  await feed.save()

  answers['2'] = [200, lines(upsert('d'), { op: 'snapshot-end' }, cursor('3', false))]
  const resumed = await openFeed({ baseUrl, key: 'k', file })
  await resumed.sync()
  t.same(ids(resumed), ['c', 'd'], 'resumed after a restart, and then the rest is removed')
  await t.rejects(resumed.sync(), new FeedError('feed-broken-off'))
  t.same(ids(resumed), ['c', 'd'], 'a truncated line is ignored')

  answers['3'] = [200, 'nonsense\n']
  await t.rejects(resumed.sync(), new FeedError('feed-unreadable'))
  for (const spoil of [() => truncateSync(file, 40), () => writeFileSync(file, 'x\n'), () => writeFileSync(file, '')]) {
    spoil()
    await t.rejects(openFeed({ baseUrl, key: 'k', file }), new FeedError('file-unreadable'))
  }
  server.closeAllConnections()
  server.close()
  const lost = await openFeed({ baseUrl, key: 'k' })
  await t.rejects(lost.sync(), new FeedError('unreachable'))
})

t.test('on a full disk the feed file stays as it was, and is replaced once there is space', SMALL_DISK, async (t) => {
  const disk = smallDisk(t)
  const { baseUrl, key, handIn } = await world(t)
  const file = join(disk.path, 'feed.ndjson')
  const hashes = Array.from({ length: 20 }, randomHashText)
  await handIn(hashes)
  const feed = await openFeed({ baseUrl, key, file })
  await feed.sync()
  const before = readFileSync(file)
  await handIn(Array.from({ length: 70 }, randomHashText))
  for (const freeBlocks of [0, 1, 2]) {
    disk.empty()
    disk.fill(freeBlocks)
    await t.rejects(feed.sync(), { code: 'ENOSPC' }, `${freeBlocks} blocks are free`)
    t.ok(readFileSync(file).equals(before))
    t.same(readdirSync(disk.path).sort(), ['feed.ndjson', 'filler'], 'no temporary file is left')
  }
  t.equal((await openFeed({ baseUrl, key, file })).size, 20, 'a restart would continue from it')
  disk.empty()
  await Promise.all([feed.save(), feed.save()]) // without a change since
  t.equal((await openFeed({ baseUrl, key, file })).size, 90)
  t.same(readdirSync(disk.path), ['feed.ndjson'])
})

t.test('a refused key ends following with its problem code', async (t) => {
  const { service, baseUrl } = await world(t)
  const { key } = await keyFor(service, 'other', ['match'])
  for (const [shown, code] of [
    ['tbr_none', 'key-invalid'],
    [key, 'scope-missing'],
  ] as const) {
    const feed = await openFeed({ baseUrl, key: shown })
    await t.rejects(feed.sync(), new FeedError('refused', code))
    await t.rejects(feed.run(new AbortController().signal), FeedError)
  }
})

t.test('the example follows the feed and answers each line', async (t) => {
  const { baseUrl, key, handIn, file } = await world(t)
  const hash = randomHashText()
  await handIn([hash])
  const program = resolve(import.meta.dirname, '../../../examples/follow-feed.mjs')
  const env = { PATH: process.env['PATH'], TABIR_URL: baseUrl, TABIR_API_KEY: key }
  const output = await new Promise<string>((resolve, reject) => {
    const child = execFile(process.execPath, [program, file], { env }, (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    )
    child.stdin?.end(`${withBitsFlipped(hash, 5)}\nnothing\n`)
  })
  const [first, second] = output.split('\n')
  t.match(JSON.parse(first ?? ''), { matches: [{ bank: 'mine', distanceBits: 5 }] })
  t.same(JSON.parse(second ?? ''), { error: 'no PDQ hash' })
})
