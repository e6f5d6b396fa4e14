// Pictures that HMA clients name by URL. Off unless the operator allows origins; a fetched picture is treated like an upload.

import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { FetchFrom } from '../../src/services/intake/picture-fetching.js'
import { hmaClient, Lookup } from '../helpers/hma.js'
import { flat } from '../helpers/hostile-pictures.js'
import { file, type PictureAnswer, redirect, startPictures } from '../helpers/picture-server.js'
import { scene } from '../helpers/pictures.js'
import { MARKER } from '../helpers/refusal.js'
import { silent } from '../helpers/requests.js'
import { keyFor, startService, until } from '../helpers/service.js'

const picture = await scene(4242)
const LIMIT_BYTES = 2 << 20

async function world(t: Test, answers: Record<string, PictureAnswer>, reach?: FetchFrom['reach']) {
  const pictures = await startPictures(t, answers)
  const service = await startService(t, {
    ...(reach !== undefined && { fetchFrom: { reach, trusted: new Set([pictures.origin]) } }),
    uploadLimits: { maxImageBytes: LIMIT_BYTES },
    workers: true,
  })
  const key = await keyFor(service, 'platform', ['match', 'match:distance', 'signals:write'])
  const hma = hmaClient(service, key.headers)
  const coop = hmaClient(service, {}, `/hma/${key.key}/`)
  const from = (path: string) => `url=${encodeURIComponent(pictures.origin + path)}`
  return { ...pictures, service, hma, coop, from }
}

t.test('without configured origins no picture is fetched by URL', async (t) => {
  const { asked, hma, from } = await world(t, { '/p.jpg': file(picture.bytes) })
  await hma('POST', '/c/banks', { name: 'B' })
  for (const [method, url] of [
    ['GET', `/h/hash?${from('/p.jpg')}`],
    ['GET', `/m/lookup?${from('/p.jpg')}`],
    ['POST', `/c/bank/B/content?${from('/p.jpg')}`],
  ] as const)
    t.match(await hma(method, url), { status: 403, body: { message: 'Hashing is disabled, missing role' } })
  t.same(asked, [])
})

t.test('a picture is hashed, looked up and banked by URL as when it is uploaded', async (t) => {
  const plain = await flat()
  const stopped: string[] = []
  const answers: Record<string, PictureAnswer> = {
    '/p.jpg': file(picture.bytes),
    '/untyped': file(picture.bytes, 'application/octet-stream'),
    '/film': file(picture.bytes, 'video/mp4'),
    '/flat': file(plain.bytes),
    '/text': file(Buffer.from('no picture')),
    '/large': file(Buffer.alloc(LIMIT_BYTES + 1)),
    '/endless': (response) => {
      response.writeHead(200, { 'content-type': 'image/png' })
      const more = () => void (response.writableEnded || response.destroyed || response.write(Buffer.alloc(65_536), more))
      more()
    },
    '/padded': file(Buffer.concat([picture.bytes, Buffer.alloc(LIMIT_BYTES)])),
    '/endlessly-padded': (response) => {
      response.writeHead(200, { 'content-type': 'image/jpeg' }).write(picture.bytes)
      const more = () => void (response.writableEnded || response.destroyed || response.write(Buffer.alloc(65_536), more))
      response.once('close', () => stopped.push('/endlessly-padded'))
      more()
    },
    '/cut': (response) => {
      response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': picture.bytes.length })
      response.write(picture.bytes.subarray(0, 1000), () => response.destroy())
    },
    '/500': (response) => response.writeHead(500).end(MARKER),
    '/circle': redirect('/circle'),
    '/moved': redirect('/p.jpg'),
    '/inside': redirect('http://127.0.0.1:9/'),
    '/metadata': redirect('http://169.254.169.254/latest'),
  }
  const { service, origin, asked, hma, coop, from } = await world(t, answers, 'trusted')
  const hash = async (path: string, more = '') => await hma('GET', `/h/hash?${from(path)}${more}`)

  const whole = await hash('/p.jpg')
  t.match(whole, { status: 200, body: { pdq: /^[0-9a-f]{64}$/ } })
  t.same(await hash('/moved'), whole, 'redirects are followed')
  for (const path of ['/padded', '/endlessly-padded']) t.same(await hash(path), whole, 'bytes after the picture are ignored')
  await until(() => stopped.length === 1)
  t.same(await hash('/untyped', '&content_type=photo&types=pdq'), whole)
  t.match(await hash('/film'), { status: 200, body: { video_md5: /^[0-9a-f]{32}$/ } })
  t.same(await hash('/flat'), { status: 200, body: { pdq: '' } }, 'too plain: an empty hash')
  for (const [path, more, status, message] of [
    ['/untyped', '', 400, /^unsupported url ContentType.*, if you know/],
    ['/film', '&types=pdq', 400, /^signal type .*doesn't exist or is disabled/],
    ['/p.jpg', '&content_type=sound', 400, /^no such content_type/],
    ['/p.jpg', '&types=vpdq', 400, /^signal type .*doesn't exist or is disabled/],
    ['/p.jpg', '&types=,', 400, 'empty signal type selection'],
    ['/text', '', 400, String],
    ['/large', '', 413, 'Content too large'],
    ['/endless', '', 413, 'Content too large'],
    ['/cut', '', 400, /^Failed to fetch URL: /],
    ['/500', '', 400, /^Failed to fetch URL: /],
    ['/none', '', 400, /^Failed to fetch URL: /],
    ['/circle', '', 400, /^Failed to fetch URL: /],
    ['/inside', '', 400, 'Invalid or unsafe URL provided'],
    ['/metadata', '', 400, 'Invalid or unsafe URL provided'],
  ] as const)
    t.match(await hash(path, more), { status, body: { message } }, path + more)
  const before = asked.length
  for (const url of [
    'http://127.0.0.1:9/x',
    'https://example.org/x.jpg',
    'ftp://x/',
    'x',
    `${origin.replace('//', '//u:p@')}/`,
  ])
    t.match(await hma('GET', `/h/hash?url=${encodeURIComponent(url)}`), {
      status: 400,
      body: { message: 'Invalid or unsafe URL provided' },
    })
  t.equal(asked.length, before, 'none of these was fetched')
  t.match(await hma('GET', '/h/hash'), { status: 422, body: [{ loc: ['url'] }] })

  const bank = 'COOP_E7C4E1F0B5A_VERIFIED'
  await coop('POST', '/c/banks', { name: bank, enabled_ratio: '1' })
  const inQuery = '&content_id=item-7&content_uri=https%3A%2F%2Fcoop.example%2F7&metadata=%7B%7D'
  const text = { metadata: { content_id: '7' }, note: 'by hand' }
  const added = await coop('POST', `/c/bank/${bank}/content?${from('/p.jpg')}${inQuery}`, text)
  const { id, signals } = Object(added.body)
  t.match({ status: added.status, signals }, { status: 200, signals: whole.body })
  t.match((await coop('GET', `/c/bank/${bank}/content/${id}`)).body, { note: 'by hand', metadata: { content_id: '7' } })
  for (const [form, note] of [
    ['', undefined],
    ['note=in+a+form', 'in a form'],
  ] as const) {
    const type = { 'content-type': 'application/x-www-form-urlencoded' }
    const again = await coop('POST', `/c/bank/${bank}/content?${from('/p.jpg')}`, form, type)
    t.match(again, { status: 200, body: { signals } }, 'a form, as requests and curl send it, empty or not')
    const place = `/c/bank/${bank}/content/${Object(again.body).id}`
    t.equal(Object((await coop('GET', place)).body).note, note)
    await coop('DELETE', place)
  }
  const expected = { [bank]: [{ bank_content_id: id, distance: '0' }] }
  t.same((await coop('GET', `/m/lookup?${from('/p.jpg')}&signal_type=pdq`)).body, expected)
  t.same((await coop('GET', `/m/lookup?${from('/p.jpg')}`)).body, { pdq: expected })
  t.same(
    (await coop('GET', `/m/lookup?${from('/moved')}&banks=OTHER`)).body,
    { pdq: {} },
    'the signal type is listed without a match',
  )
  t.same(Object.keys(Lookup.parse((await coop('GET', `/m/lookup?signal_type=pdq&signal=${signals.pdq}`)).body)), [bank])
  t.match(await coop('GET', `/m/lookup?${from('/flat')}`), {
    status: 400,
    body: { message: 'invalid signal: invalid PDQ hash' },
  })
  t.match(await coop('POST', `/c/bank/${bank}/content?${from('/flat')}`), {
    status: 400,
    body: { message: 'Invalid pdq signal: invalid PDQ hash' },
  })
  t.match(
    await coop('POST', `/c/bank/${bank}/content?${from('/padded')}`),
    { status: 413, body: { message: 'Content too large' } },
    'a registered file is read to its end',
  )
  t.match(await coop('POST', `/c/bank/${bank}/content?${from('/p.jpg')}`, { metadata: [] }), {
    status: 400,
    body: { message: /should be a json object/ },
  })
  silent(t, service)
  t.notMatch(service.log.join(''), origin, 'no address in the log')
})

t.test('with the public internet allowed, a redirect may lead to a public https address only', async (t) => {
  const { asked, hma, from } = await world(t, { '/inside': redirect('http://127.0.0.1:9/') }, 'public')
  t.match(await hma('GET', `/h/hash?${from('/inside')}`), {
    status: 400,
    body: { message: 'Invalid or unsafe URL provided' },
  })
  t.same(asked, ['/inside'])
  for (const url of ['https://127.0.0.1/x', 'https://[::1]/', 'http://example.org/', 'https://metadata.google.internal/'])
    t.match(await hma('GET', `/h/hash?url=${encodeURIComponent(url)}`), { status: 400 })
})

t.test('slow servers hold at most 16 fetches, and further ones get 503 until these end', async (t) => {
  const waiting: (() => void)[] = []
  const { asked, hma, from } = await world(t, { '/slow': (response) => waiting.push(() => response.end()) }, 'trusted')
  const held = Array.from({ length: 16 }, () => hma('GET', `/h/hash?${from('/slow')}`))
  while (asked.length < 16) await sleep(5)
  t.match(await hma('GET', `/h/hash?${from('/slow')}`), { status: 503 })
  for (const end of waiting) end()
  t.ok((await Promise.all(held)).every(({ status }) => status === 400))
  t.match(await hma('GET', `/h/hash?${from('/none')}`), { status: 400 }, 'later URLs are fetched')
})
