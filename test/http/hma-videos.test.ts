// Videos in the HMA interface, by the MD5 of the file and by vPDQ: added, looked up, compared and read.

import { createHash, randomBytes } from 'node:crypto'
import t from 'tap'
import { HMA_SCOPES, hmaClient, hmaWorld } from '../helpers/hma.js'
import { keyFor, openCase, randomHashText, withBitsFlipped } from '../helpers/service.js'
import { ask } from '../helpers/trust.js'

const vpdq = (hashes: readonly string[]) => JSON.stringify(hashes.map((hash, i) => `${hash},100,${(2 * i).toFixed(1)}`))
const query = (type: string, signal: string) => `signal_type=${type}&signal=${encodeURIComponent(signal)}`

/** A form with one file. */
function form(name: string, bytes: Buffer, fields: Readonly<Record<string, string>> = {}) {
  const boundary = 'x-boundary'
  const parts = Object.entries(fields).map(
    ([field, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${field}"\r\n\r\n${value}\r\n`,
  )
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="${name}"; filename="f"\r\n\r\n`
  const payload = Buffer.concat([Buffer.from(parts.join('') + head), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)])
  return { payload, headers: { 'content-type': `multipart/form-data; boundary=${boundary}` } }
}

t.test('a video is found by its MD5 and by vPDQ on each HMA route, until it is removed', async (t) => {
  const { service, hma } = await hmaWorld(t, { workers: true })
  const bytes = randomBytes(70_000)
  const md5 = createHash('md5').update(bytes).digest('hex')
  const hashes = Array.from({ length: 5 }, randomHashText)
  const made = await hma('POST', '/c/bank/MINE/signal', { video_md5: md5.toUpperCase(), vpdq: vpdq(hashes), note: 'film' })
  t.match(made, { status: 200, body: { id: Number, signals: { video_md5: md5 } } })
  const { id, signals } = made.body as { id: number; signals: { vpdq: string } }
  t.same(
    JSON.parse(signals.vpdq),
    hashes.map((hash, i) => `${hash},100,${2 * i}.000`),
  )

  const near = vpdq(hashes.map((hash) => withBitsFlipped(hash, 6)))
  const [byMd5, byVpdq] = [
    { MINE: [{ bank_content_id: id, distance: '-' }] },
    { MINE: [{ bank_content_id: id, distance: '100%[-]' }] },
  ]
  t.same((await hma('GET', `/m/lookup?${query('video_md5', md5)}`)).body, byMd5)
  t.same((await hma('GET', `/m/lookup?${query('vpdq', near)}`)).body, byVpdq)
  t.same((await hma('GET', `/m/raw_lookup?${query('vpdq', near)}`)).body, { matches: [id] })
  t.same((await hma('GET', `/m/raw_lookup?${query('video_md5', ` ${md5}`)}&include_distance=true`)).body, {
    matches: [{ bank_content_id: id, distance: '-' }],
  })
  t.match((await hma('GET', `/m/lookup?${query('pdq', hashes[3] ?? '')}`)).body, { MINE: [{ bank_content_id: id }] })
  t.same((await hma('GET', `/m/lookup?${query('vpdq', vpdq([randomHashText(), randomHashText()]))}`)).body, {})

  const send = async (url: string) => {
    const { payload, headers } = form('video', bytes) // made anew, because the service overwrites it
    return await hma('POST', url, payload, headers)
  }
  t.same((await send('/h/hash')).body, { video_md5: md5 })
  t.same((await send('/m/lookup')).body, { video_md5: byMd5 })
  t.match(await send('/h/hash?types=pdq'), { status: 400 })
  const reader = hmaClient(service, (await keyFor(service, 'platform', [...HMA_SCOPES, 'feed'])).headers)
  t.match((await reader('GET', `/c/bank/MINE/content/${id}?include_signals=true`)).body, { note: 'film', signals })

  await hma('DELETE', `/c/bank/MINE/content/${id}`)
  t.same((await hma('GET', `/m/lookup?${query('video_md5', md5)}`)).body, {})
  t.same((await hma('GET', `/m/lookup?${query('vpdq', near)}`)).body, {})
})

t.test('an uploaded video is added by its MD5, and a video of a case is found until withdrawal', async (t) => {
  const { service, hma } = await hmaWorld(t, { workers: true })
  const bytes = randomBytes(3000)
  const md5 = createHash('md5').update(bytes).digest('hex')
  const { payload, headers } = form('video', bytes, { note: 'sent' })
  const made = await hma('POST', '/c/bank/MINE/content', payload, headers)
  t.match(made, { status: 200, body: { id: Number, signals: { video_md5: md5 } } })
  t.match((await hma('GET', `/m/lookup?${query('video_md5', md5)}`)).body, { MINE: [{}] })

  const her = await openCase(service.app)
  const [hash, hers] = [randomHashText(), randomBytes(16).toString('hex')]
  const frames = [{ atMs: 0, signals: [{ type: 'pdq', hash, quality: 90 }] }]
  await ask(service, 'POST', `${her.url}/hashes`, her.headers, { videos: [{ durationMs: 900, frames, md5: hers }] })
  t.match((await hma('GET', `/m/lookup?${query('video_md5', hers)}`)).body, { cases: [{ distance: '-' }] })
  t.match((await hma('GET', `/m/lookup?${query('vpdq', vpdq([hash]))}`)).body, { cases: [{ distance: '100%[-]' }] })
  await service.app.inject({ method: 'DELETE', url: her.url, headers: her.headers })
  t.same((await hma('GET', `/m/lookup?${query('video_md5', hers)}`)).body, {})
  t.same((await hma('GET', `/m/lookup?${query('vpdq', vpdq([hash]))}`)).body, {})
})

t.test('MD5 and vPDQ are compared with the results of HMA, and malformed values get 400', async (t) => {
  const { hma } = await hmaWorld(t)
  const compare = async (body: object) => await hma('POST', '/m/compare', body)
  const [one, other] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')]
  t.same((await compare({ video_md5: [one, one.toUpperCase()] })).body, { video_md5: [true, {}] })
  t.same((await compare({ video_md5: [one, other] })).body, { video_md5: [false, {}] })
  const hashes = Array.from({ length: 4 }, randomHashText)
  const three = [...hashes.slice(0, 3).map((hash) => withBitsFlipped(hash, 31)), withBitsFlipped(hashes[3] ?? '', 32)]
  t.same((await compare({ vpdq: [vpdq(hashes), vpdq(three)] })).body, {
    vpdq: [false, { query_match_percent: 75, compared_match_percent: 75 }],
  })
  t.same((await compare({ vpdq: [vpdq(hashes.slice(0, 3)), vpdq(three)] })).body, {
    vpdq: [true, { query_match_percent: 100, compared_match_percent: 75 }],
  })
  const fifth = randomHashText()
  t.same((await compare({ vpdq: [vpdq([...hashes, fifth]), vpdq(hashes)] })).body, {
    vpdq: [true, { query_match_percent: 80, compared_match_percent: 100 }],
  })
  const many = vpdq(Array.from({ length: 501 }, randomHashText))
  for (const [body, message] of [
    [{ vpdq: [many, many] }, 'Invalid vpdq hash: too many frames to compare'],
    [{ vpdq: ['[', '[]'] }, 'Invalid vpdq hash: invalid VpdqCompactFeature serialization'],
    [{ video_md5: [one, 'x'] }, 'Invalid video_md5 hash: not a valid MD5 hash'],
    [{ video_md5: one }, 'video_md5 must be a list of two hashes'],
  ] as const)
    t.match(await compare(body), { status: 400, body: { message } })
  for (const type of ['vpdq', 'video_md5'])
    t.match(await hma('GET', `/m/lookup?${query(type, 'zz')}`), { status: 400, body: { message: /^invalid signal: / } })
  const status = (await hma('GET', '/m/index/status')).body
  t.match(status, { pdq: { present: true }, video_md5: { present: true, size: 0 }, vpdq: { present: true } })
  t.same(Object.keys((await hma('GET', '/m/index/status?signal_type=vpdq')).body as object), ['vpdq'])
})
