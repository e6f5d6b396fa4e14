// Membership inference: an outsider, a submitter or a key without `admin` must not learn whether and when a picture was registered.

import { randomBytes } from 'node:crypto'
import t from 'tap'
import { writeRegistered } from '../../packages/hash/src/details/written.js'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { refused } from '../helpers/refusal.js'
import { del, post } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText, startService } from '../helpers/service.js'

/** Details as a device computes them. Other pictures can share the rows. */
function someDetails(): string {
  const size = { width: 480, height: 360 }
  const rows = Array.from({ length: 16 }, (_, i) => ({
    place: (5 * i) % 256,
    pose: 0,
    hash: hashFromBytes(randomBytes(32)),
  }))
  const points = rows.map(({ hash }, i) => ({ column: i % 32, row: i % 24, hash }))
  return Buffer.from(writeRegistered({ ranked: { ...size, rows }, points: { ...size, points } })).toString('base64')
}

const picture = (details?: string) => ({
  signals: [{ type: 'pdq', hash: randomHashText(), quality: 90 }],
  ...(details !== undefined && { details }),
})

t.test('on a public deployment no number that is readable without admin changes with registrations', async (t) => {
  const service = await startService(t, { exposure: 'public' })
  const { app } = service
  const look = async () =>
    Promise.all(
      ['/health/live', '/health/ready', '/health/index', '/metrics', '/status', '/status/live', '/v1/insights/registry'].map(
        async (url) => {
          const { statusCode, body, headers } = await app.inject({ url })
          const told = Object.entries(headers).filter(([name]) => !/^(date|ratelimit)/.test(name))
          return { url, statusCode, body: body.replace(/"instance":"[^"]*"/, ''), told }
        },
      ),
    )
  const before = await look()
  refused(t, await app.inject({ url: '/health/index' }), 'key-missing')
  refused(
    t,
    await app.inject({ url: '/health/index', headers: (await keyFor(service, 'p', ['match', 'feed'])).headers }),
    'scope-missing',
  )
  const her = await openCase(app)
  t.same(await look(), before, 'a case is opened')
  t.equal((await post(app, `${her.url}/hashes`, { images: [picture(), picture()] }, her.headers)).statusCode, 201)
  t.same(await look(), before, 'pictures are registered')
  const admin = await keyFor(service, 'operator', ['admin'], 'operator')
  t.equal((await app.inject({ url: '/health/index', headers: admin.headers })).json().images, 2, 'the operator sees them')
  t.equal((await del(app, her.url, her.headers)).statusCode, 200)
  t.same(await look(), before, 'pictures are withdrawn')

  const ngo = await keyFor(service, 'ngo', ['signals:write'], 'ngo')
  const next = await openCase(app)
  await post(app, `${next.url}/hashes`, { images: [picture()] }, next.headers)
  const index = await app.inject({ url: '/c/signal_type/index', headers: ngo.headers })
  t.match(index.json(), { pdq: { db_size: 0, index_size: 0 } }, 'HMA routes show no number either')
})

t.test('a private deployment shows index numbers without a key', async (t) => {
  const { app } = await startService(t)
  t.match((await app.inject({ url: '/health/ready' })).json(), { ready: true, images: 0, rows: { pdq: 0 } })
  t.match((await app.inject({ url: '/health/index' })).json(), { images: 0, behind: 0 })
})

t.test('a case does not show its submitter whether other cases have the same details', async (t) => {
  const { app } = await startService(t, { extendedProtection: true, exposure: 'public', maxOf: { 'case-opening': 1000 } })
  /** Every answer about a case, without fields that differ between cases. */
  const toldOf = async (details: string) => {
    const own = await openCase(app, { extendedProtection: true })
    const added = await post(app, `${own.url}/hashes`, { images: [picture(details)] }, own.headers)
    t.equal(added.statusCode, 201, added.body)
    const read = (path: string) => app.inject({ url: `${own.url}${path}`, headers: own.headers })
    const answers = [added, await read(''), await read('/export'), await read('/events'), await read('/report?format=json')]
    answers.push(await del(app, own.url, own.headers), await read(''), await read('/receipt'))
    return answers.map(({ statusCode, body }) => ({
      statusCode,
      body: body
        .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
        .replaceAll(/"(imageId|reference|signature|caseNumber|keyId|id|cursor)":"[^"]*"/g, '$1'),
    }))
  }
  const details = someDetails()
  for (let i = 0; i < 3; i++) {
    const other = await openCase(app, { extendedProtection: true })
    const images = [picture(details)]
    t.equal((await post(app, `${other.url}/hashes`, { images }, other.headers)).statusCode, 201)
  }
  t.same(
    await toldOf(details),
    await toldOf(someDetails()),
    'same answers whether three other cases have the details or none',
  )
})
