// The calls of known HMA clients in the order of their sources. Each answer must have what the client reads.

import t from 'tap'
import { z } from 'zod'
import { hmaClient, Lookup } from '../helpers/hma.js'
import { flat } from '../helpers/hostile-pictures.js'
import { imagePart, multipart } from '../helpers/multipart.js'
import { scene } from '../helpers/pictures.js'
import { keyFor, startService } from '../helpers/service.js'

const Hashes = z.strictObject({ pdq: z.string() })
const Added = z.strictObject({ id: z.int(), signals: Hashes })

t.test('known HMA clients get the answers that they read', async (t) => {
  const service = await startService(t, { workers: true })
  const key = await keyFor(service, 'platform', ['match', 'match:distance', 'signals:write', 'feed'])
  const picture = await scene(4242)
  // A new form for each request: the server overwrites the bytes it receives.
  const form = (name: string, fields: Record<string, string> = {}) =>
    multipart([
      ...Object.entries(fields).map(([field, bytes]) => ({ name: field, bytes })),
      { ...imagePart(picture, name), fileName: 'x' },
    ])

  await t.test('ROOST Coop works: no header, double slashes, ratios as text', async (t) => {
    const coop = hmaClient(service, {}, `/hma/${key.key}/`)
    const bank = 'COOP_E7C4E1F0B5A_VERIFIED'
    t.same(await coop('GET', '/c/exchanges/apis'), { status: 200, body: [] })
    t.equal((await coop('GET', `/c/bank/${bank}`)).status, 404)
    const made = await coop('POST', '/c/banks', { name: bank, enabled_ratio: '1' }, { 'content-type': 'application/json' })
    t.same(made, { status: 201, body: { name: bank, matching_enabled_ratio: 1 } })
    t.same(await coop('GET', `/c/bank/${bank}`), { status: 200, body: made.body })
    t.match(await coop('PUT', `/c/bank/${bank}`, { enabled_ratio: '0.9' }), { body: { matching_enabled_ratio: 0.9 } })
    await coop('PUT', `/c/bank/${bank}`, { enabled_ratio: '1' })
    const { payload, headers } = form('photo')
    const inQuery = '?content_id=item-7&content_uri=https%3A%2F%2Fcoop.example%2F7&metadata=%7B%7D'
    const added = Added.parse((await coop('POST', `/c/bank/${bank}/content${inQuery}`, payload, headers)).body)
    const found = await coop('GET', `/m/lookup?signal_type=pdq&signal=${added.signals.pdq}`)
    t.same(Lookup.parse(found.body), { [bank]: [{ bank_content_id: added.id, distance: '0' }] })
    t.match(await coop('GET', '/h/hash?url=https%3A%2F%2Fcoop.example%2F7.jpg'), { status: 403 })
    t.same(await coop('DELETE', `/c/bank/${bank}`, undefined, { 'content-type': 'application/json' }), {
      status: 200,
      body: { message: 'Done' },
    })
    t.same((await coop('GET', `/m/lookup?signal_type=pdq&signal=${added.signals.pdq}`)).body, {})
  })

  await t.test(
    'policyserv works: it hashes an upload, looks it up and takes each key of the answer for a bank',
    async (t) => {
      const policyserv = hmaClient(service, key.headers)
      // Its parts have a file name and no content type.
      const form = (name: string) => multipart([{ name, bytes: picture.bytes, fileName: 'x' }])
      await policyserv('POST', '/c/banks', { name: 'MATRIX' })
      const [first, second] = [form('photo'), form('photo')]
      await policyserv('POST', '/c/bank/MATRIX/content', first.payload, first.headers)
      const hashed = await policyserv('POST', '/h/hash', second.payload, second.headers)
      t.equal(hashed.status, 200)
      const { pdq } = Hashes.parse(hashed.body)
      t.match(pdq, /^[0-9a-f]{64}$/)
      const banks = Lookup.parse((await policyserv('GET', `/m/lookup?signal_type=pdq&signal=${pdq}`)).body)
      t.same(Object.keys(banks), ['MATRIX'])
      const refused = await policyserv('GET', '/m/lookup?signal_type=pdq&signal=')
      t.match(refused, { status: 400, body: { message: String } }, 'an error cannot be parsed as banks')
      t.notOk(Lookup.safeParse(refused.body).success)
      const video = form('video')
      t.match(await policyserv('POST', '/h/hash', video.payload, video.headers), {
        status: 200,
        body: { video_md5: /^[0-9a-f]{32}$/ },
      })
    },
  )

  await t.test('FetLife’s gem works: switches as text, fixed error texts, distances that parse as numbers', async (t) => {
    const gem = hmaClient(service, key.headers)
    t.match(await gem('POST', '/c/banks', { name: 'FET', enabled: 'true', matching_enabled_ratio: '1.0' }), { status: 201 })
    const again = await gem('POST', '/c/banks', { name: 'FET', enabled: 'true' })
    t.match(again, { status: 403, body: { message: /already exists/ } })
    t.match(await gem('GET', '/c/banks'), { status: 200 })
    const { payload, headers } = form('photo', {
      note: 'by hand',
      metadata: '{"content_id":"7","json":{"a":1},"collab":{"x":["y"]}}',
    })
    const { id, signals } = Added.parse((await gem('POST', '/c/bank/FET/content', payload, headers)).body)
    t.match((await gem('GET', `/c/bank/FET/content/${id}?include_signals=true`)).body, {
      id,
      signals,
      note: 'by hand',
      metadata: { content_id: '7', content_uri: null, json: { a: 1 }, collab: null },
    })
    const looked = (await gem('POST', '/m/lookup?bypass_coinflip=true&banks=FET', form('photo').payload, headers)).body
    const found = z.strictObject({ pdq: Lookup }).parse(looked).pdq['FET']
    t.equal(Number.parseInt(found?.[0]?.distance ?? '', 10), 0)
    const raw = await gem('GET', `/m/raw_lookup?signal_type=pdq&signal=${signals.pdq}&include_distance=true&banks=FET`)
    t.same(raw.body, { matches: [{ bank_content_id: id, distance: '0' }] })
    t.match(await gem('GET', '/h/hash?url=https%3A%2F%2Ffet.example%2F1'), {
      status: 403,
      body: { message: /missing role/ },
    })
    t.same(await gem('GET', '/status'), { status: 200, body: 'I-AM-ALIVE' })
    t.same(await gem('PUT', `/c/bank/FET`, { enabled: 'false' }), {
      status: 200,
      body: { name: 'FET', matching_enabled_ratio: 0 },
    })
    t.same((await gem('GET', `/m/lookup?signal_type=pdq&signal=${signals.pdq}&banks=FET`)).body, {})
  })

  await t.test('HMA’s own walkthrough works: a picture is banked, found by upload and disabled', async (t) => {
    const hma = hmaClient(service, key.headers)
    await hma('POST', '/c/banks', { name: 'TEST_BANK' })
    const { payload, headers } = form('photo')
    const { id, signals } = Added.parse((await hma('POST', '/c/bank/TEST_BANK/content', payload, headers)).body)
    const look = async (more = '') => {
      const { payload, headers } = form('photo')
      const answer = await hma('POST', `/m/lookup?banks=TEST_BANK${more}`, payload, headers)
      return z.strictObject({ pdq: Lookup }).parse(answer.body)
    }
    t.match(await look(), { pdq: { TEST_BANK: [{ bank_content_id: id }] } })
    await hma('PUT', '/c/bank/TEST_BANK', { enabled_ratio: 1e-9 })
    t.same(await look(), { pdq: {} }, 'a bank with a ratio near 0 does not match')
    t.match(await look('&bypass_coinflip=true'), { pdq: { TEST_BANK: [{}] } }, 'it matches with bypass_coinflip')
    await hma('PUT', '/c/bank/TEST_BANK', { enabled: false })
    t.same(await look('&bypass_coinflip=true'), { pdq: {} }, 'a disabled bank never matches')
    await hma('PUT', '/c/bank/TEST_BANK', { enabled: true })
    await hma('PUT', `/c/bank/TEST_BANK/content/${id}`, { disable_until_ts: 0 })
    t.same(await look(), { pdq: {} })
    t.match((await hma('GET', '/m/index/status')).body, { pdq: { present: true } })
    t.match((await hma('POST', '/m/compare', { pdq: [signals.pdq, signals.pdq] })).body, { pdq: [true, { distance: 0 }] })
  })

  await t.test('uploads that cannot be used get the errors of HMA', async (t) => {
    const hma = hmaClient(service, key.headers)
    const send = async (url: string, parts: Parameters<typeof multipart>[0]) => {
      const { payload, headers } = multipart(parts)
      return await hma('POST', url, payload, headers)
    }
    const good = imagePart(picture, 'photo')
    const dull = imagePart(await flat(), 'photo')
    t.same(await send('/h/hash', [dull]), { status: 200, body: { pdq: '' } }, 'too plain: an empty hash')
    t.match(await send('/m/lookup', [dull]), { status: 400, body: { message: 'invalid signal: invalid PDQ hash' } })
    t.match(await send('/c/bank/TEST_BANK/content', [dull]), {
      status: 400,
      body: { message: 'Invalid pdq signal: invalid PDQ hash' },
    })
    for (const url of ['/h/hash', '/m/lookup', '/c/bank/TEST_BANK/content']) {
      t.match(await send(url, [good, { ...good, fileName: 'y' }]), {
        status: 400,
        body: { message: 'Only one file allowed per request' },
      })
      t.match(await send(url, [{ ...good, name: 'image' }]), { status: 400, body: { message: /^no such content_type/ } })
      t.match(await send(url, [{ ...good, bytes: 'not a picture' }]), {
        status: 400,
        body: { message: 'The image cannot be decoded' },
      })
      t.match(await send(`${url}?types=vpdq`, [good]), { status: 400 })
      t.match(await send(`${url}?types=,`, [good]), { status: 400, body: { message: 'empty signal type selection' } })
      t.match(await send(url, [{ name: 'photo', bytes: 'a field' }]), {
        status: 400,
        body: { message: /^Missing multipart/ },
      })
    }
    t.match(await hma('POST', '/h/hash', {}), { status: 400, body: { message: 'Missing multipart/form-data file upload' } })
    t.match(await hma('GET', '/h/hash'), { status: 422, body: [{ loc: ['url'] }] })
    const odd = [{ name: 'metadata', bytes: '{"file_name":"x"}' }, good]
    t.match(await send('/c/bank/TEST_BANK/content', odd), { status: 400, body: { message: /^Invalid metadata/ } })
    const broken = [{ name: 'metadata', bytes: '{' }, good]
    t.match(await send('/c/bank/TEST_BANK/content', broken), { status: 400, body: { message: /must be valid JSON/ } })
    const list = [{ name: 'metadata', bytes: '[]' }, good]
    t.match(await send('/c/bank/TEST_BANK/content', list), { status: 400, body: { message: /should be a json object/ } })
  })
})
