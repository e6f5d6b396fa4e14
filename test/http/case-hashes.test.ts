// The hashes of a case, given back to the person with the recovery code.

import t from 'tap'
import { readRegistered, writeRegistered } from '../../packages/hash/src/details/written.js'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { refused } from '../helpers/refusal.js'
import { post } from '../helpers/requests.js'
import { codeOf, keyFor, openCase, randomHashText, startService, type TestService } from '../helpers/service.js'
import { ask, filmOf, vouchedCase } from '../helpers/trust.js'

const signal = (hash = randomHashText()) => ({ type: 'pdq', view: 'whole', quality: 90, hash })

function someDetails(): string {
  const hash = () => hashFromBytes(Buffer.from(randomHashText(), 'hex'))
  const size = { width: 480, height: 360 }
  const rows = Array.from({ length: 16 }, (_, i) => ({ place: i, pose: 8 * i, hash: hash() }))
  const points = Array.from({ length: 20 }, (_, i) => ({ column: i, row: i, hash: hash() }))
  const written = writeRegistered({ ranked: { ...size, rows }, points: { ...size, points } })
  return Buffer.from(written).toString('base64')
}

/** What was sent: a picture with details and a category, an animation and a video. */
function everyKind() {
  const [main, ...others] = [randomHashText(), randomHashText(), randomHashText()]
  const frames = [main, ...others].map((hash, k) => ({ atMs: 1500 * k, signals: [signal(hash)] }))
  return {
    images: [
      { signals: [signal(), { ...signal(), view: 'crop' }], details: someDetails(), category: 'nude' },
      { signals: [signal(main)], animation: { durationMs: 6000, frames } },
    ],
    videos: [{ ...filmOf([randomHashText(), randomHashText()]), md5: randomHashText().slice(32), sha256: randomHashText() }],
  }
}

type Given = ReturnType<typeof everyKind>

async function heldIn({ app }: TestService, url: string, headers: Readonly<Record<string, string>>, form = 'own') {
  const answer = await app.inject({ url: `${url}/hashes?form=${form}`, headers })
  if (answer.statusCode !== 200) throw new Error(answer.body)
  return answer.json()
}

/** Without an order, and with the details in the order of their hashes. */
function plainly({ images, videos }: Given) {
  const all = [...images, ...videos].map((one) => ({
    ...one,
    ...('details' in one && one.details !== undefined && { details: readRegistered(Buffer.from(one.details, 'base64')) }),
  }))
  return all.map((one) => JSON.stringify(sorted(one))).sort()
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).filter(([name, inner]) => !(name === 'view' && inner === 'whole'))
  return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, inner]) => [name, sorted(inner)]))
}

t.test('the hashes come back as they were sent, in our form and in that of StopNCII', async (t) => {
  const service = await startService(t, { extendedProtection: true })
  const { app } = service
  const her = await openCase(app, { extendedProtection: true })
  const given = everyKind()
  t.equal((await post(app, `${her.url}/hashes`, given, her.headers)).statusCode, 201)
  const held = await heldIn(service, her.url, her.headers)
  t.same(plainly(held), plainly(given))

  const again = await openCase(app, { extendedProtection: true })
  const added = await post(app, `${again.url}/hashes`, held, again.headers)
  t.match(added.json(), { images: [{ state: 'registered' }, { state: 'registered' }], videos: [{ state: 'registered' }] })
  t.same(
    plainly(await heldIn(service, again.url, again.headers)),
    plainly(given),
    'another service takes what this one gives',
  )

  const { hashRecords } = await heldIn(service, her.url, her.headers, 'stopncii')
  const [picture, animation] = given.images.map(({ signals }) => signals[0]?.hash)
  const wanted = [picture, animation].map((hashValue) => ({ signalType: 'ImagePDQ', hashValue }))
  t.same(sorted(hashRecords), sorted([...wanted, { signalType: 'VideoMD5', hashValue: given.videos[0]?.md5 }]))
  const { key } = await keyFor(service, 'member', ['signals:write', 'feed'], 'ngo')
  const headers = { 'x-functions-key': key }
  const taken = await ask(service, 'POST', '/stopncii/v1/SubmitHashes', headers, { hashRecords })
  t.match(taken.json(), { accepted: 3, refused: [] })

  await ask(service, 'DELETE', her.url, her.headers)
  t.same(await heldIn(service, her.url, her.headers), { images: [], videos: [] }, 'nothing is left after the end')
})

t.test('only the recovery code gives the hashes', async (t) => {
  const service = await startService(t)
  const { app } = service
  const her = await openCase(app)
  await post(app, `${her.url}/hashes`, everyKind().images.slice(1), her.headers)
  const tokenBy = async (pin: string) => {
    const { token } = (await post(app, `${her.url}/tokens`, { pin })).json<{ token: string }>()
    return { authorization: `Bearer ${token}` }
  }
  for (const form of ['own', 'stopncii'])
    refused(
      t,
      await app.inject({ url: `${her.url}/hashes?form=${form}`, headers: await tokenBy(her.pin) }),
      'recovery-code-needed',
    )
  t.equal((await app.inject({ url: `${her.url}/hashes`, headers: await tokenBy(her.recoveryCode) })).statusCode, 200)
  const theirs = await vouchedCase(service)
  const answer = await app.inject({ url: `${theirs.url}/hashes`, headers: theirs.headers })
  t.equal(codeOf(answer), 'recovery-code-needed', 'an organisation has no code')
  const stranger = await openCase(app)
  t.equal(codeOf(await app.inject({ url: `${her.url}/hashes`, headers: stranger.headers })), 'case-unknown')
})
