import { type ChildProcess, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import t, { type Test } from 'tap'
import { hashImage } from '../packages/hash/src/hash-image.js'
import type { Pixels } from '../packages/hash/src/pixels.js'
import { decode } from '../workers/media/decode.js'
import { images } from './helpers/multipart.js'
import { scene } from './helpers/pictures.js'
import { keyFor, startService, until } from './helpers/service.js'
import { listen } from './helpers/sockets.js'
import { startExample, telegram } from './helpers/telegram.js'

const root = fileURLToPath(new URL('../../', import.meta.url))

// Each example runs against this service as a copy of it would.
const ready = startService(t).then(async (service) => {
  const { key, headers } = await keyFor(service, 'platform', ['signals:write', 'match', 'feed', 'feedback'])
  const url = `http://127.0.0.1:${await listen(service.app)}`
  await service.app.inject({ method: 'POST', url: '/v1/banks', headers, payload: { name: 'known' } })
  return {
    service,
    headers,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TABIR_URL: url, TABIR_API_KEY: key },
  }
})

interface Picture {
  readonly pixels: Pixels
  readonly aspect: number
}
const { pixelsOf } = (await import(`${root}examples/pixels.mjs`)) as { pixelsOf: (bytes: Buffer) => Promise<Picture> }

t.test('the example decodes pictures to exactly the pixels, and so the hashes, of the service’s workers', async (t) => {
  const make = (width: number, height: number) => scene(5, { width, height })
  const rotated = await sharp((await make(900, 600)).bytes)
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer()
  const clear = await sharp((await make(640, 480)).bytes)
    .ensureAlpha(0.5)
    .png()
    .toBuffer()
  const grey = await sharp((await make(640, 480)).bytes)
    .greyscale()
    .png()
    .toBuffer()
  const small = (await make(1200, 1000)).bytes
  const large = (await make(2400, 1500)).bytes
  for (const [what, bytes] of Object.entries({ small, large, rotated, clear, grey })) {
    const { pixels, aspect } = await pixelsOf(bytes)
    const theirs = await decode(bytes)
    t.same([pixels.width, pixels.height, aspect], [theirs.width, theirs.height, theirs.aspect], what)
    t.ok(Buffer.from(pixels.data).equals(theirs.data), `${what}: every pixel`)
  }
  await t.rejects(pixelsOf(Buffer.from('no picture')))
})

t.test('all examples name the key and the address alike', (t) => {
  for (const name of readdirSync(`${root}examples`)) {
    const text = readFileSync(`${root}examples/${name}`, 'utf8')
    const named = new Set(text.match(/\bTABIR_[A-Z_]+/g))
    t.same(
      [...named].filter((each) => each !== 'TABIR_URL' && each !== 'TABIR_API_KEY'),
      [],
      name,
    )
  }
  t.end()
})

async function hashesOf(bytes: Buffer) {
  const { pixels, aspect } = await pixelsOf(bytes)
  return (await hashImage(pixels, { aspect })).signals
}

/** Registers a picture's hashes as the example itself computes them. */
async function register(t: Test, bytes: Buffer): Promise<void> {
  const { service, headers } = await ready
  const { statusCode, body } = await service.app.inject({
    method: 'POST',
    url: '/v1/banks/known/signals',
    headers,
    payload: { images: [{ signals: await hashesOf(bytes) }] },
  })
  t.ok(statusCode < 300, body)
}

async function statusOf(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null) return child.exitCode
  const [status] = await once(child, 'exit')
  return status
}

for (const [program, command, walk] of [
  ['curl', 'sh', 'examples/walk.sh'],
  ['python3', 'python3', 'examples/walk.py'],
] as const) {
  const isMissing = spawnSync(program, ['--version']).status !== 0
  t.test(`the walk-through with ${program} succeeds`, { skip: isMissing && `needs ${program}` }, async (t) => {
    const { env } = await ready
    const walked = startExample(t, command, [walk], env)
    t.equal(await statusOf(walked), 0, walked.text())
  })
}

t.test('the upload hook publishes an unregistered picture and refuses a registered one', async (t) => {
  const { env } = await ready
  const [known, unknown] = [await scene(71), await scene(72)]
  await register(t, known.bytes)
  const hook = startExample(t, process.execPath, ['examples/fastify-upload-hook.mjs'], { ...env, PORT: '0' })
  const [url] = (await once(createInterface(hook.stdout ?? process.stdin), 'line')) as [string]
  const upload = async (picture: typeof known) => {
    const { payload, headers } = images([picture], 'picture')
    const response = await fetch(`${url}/uploads`, { method: 'POST', headers, body: new Uint8Array(payload) })
    return [response.status, await response.json()]
  }
  t.same(await upload(unknown), [201, { outcome: 'published' }])
  t.same(await upload(known), [422, { outcome: 'refused' }])
  t.same(await upload({ ...known, bytes: Buffer.from('no picture') }), [422, { outcome: 'no picture' }])
})

const post = (update_id: number, file: string, kind = 'message') => ({
  update_id,
  [kind]: { message_id: update_id, chat: { id: -100, title: 'group' }, photo: [{ file_id: 'small' }, { file_id: file }] },
})

t.test('the bot deletes known photographs in groups and channels, and leaves the others', async (t) => {
  const { env } = await ready
  const [known, unknown] = [await scene(71), await scene(73)]
  await register(t, known.bytes)
  const updates = [
    [post(1, 'unknown'), post(2, 'known'), post(3, 'known', 'channel_post'), post(4, 'known', 'edited_channel_post')],
    [{ update_id: 5, message: { message_id: 5, text: 'hello' } }],
  ]
  const chat = await telegram(t, { known: known.bytes, unknown: unknown.bytes }, updates)
  const bot = startExample(t, process.execPath, ['examples/telegram-bot.mjs', `${t.testdir({})}/state`], {
    ...env,
    ...chat.env,
  })
  await until(() => chat.of('sendMessage').length === 3 && chat.of('getUpdates').at(-1)?.['offset'] === 6)

  t.same(
    chat.of('deleteMessage').map(({ message_id }) => message_id),
    [2, 3, 4],
    bot.text(),
  )
  const kinds = ['message', 'edited_message', 'channel_post', 'edited_channel_post']
  t.same(chat.of('getUpdates')[0]?.['allowed_updates'], kinds, 'Telegram sends no others')
})

t.test('the bot retries a failed step when Telegram allows, also after a restart, and does the rest', async (t) => {
  const { env, service, headers } = await ready
  const known = await scene(71)
  await register(t, known.bytes)
  const state = `${t.testdir({})}/state`
  const forbidden = { error_code: 400, description: "Bad Request: message can't be deleted" }
  const chat = await telegram(
    t,
    { known: known.bytes },
    [[post(1, 'known')]],
    [
      ['getFile', { error_code: 429, description: 'Too Many Requests', parameters: { retry_after: 2 } }],
      ['deleteMessage', forbidden],
      ['sendMessage', { error_code: 403, description: 'Forbidden: bot is not a member' }],
    ],
  )
  const run = (more: object) =>
    startExample(t, process.execPath, ['examples/telegram-bot.mjs', state], { ...env, ...chat.env, ...more })

  const without = run({ TABIR_URL: 'http://127.0.0.1:1' })
  await until(() => /check of message 1 in group: getFile: Too Many Requests/.test(without.text()))
  const refusedAt = Date.now()
  await until(() => chat.of('getFile').length === 2)
  t.ok(Date.now() - refusedAt >= 1500, 'no sooner than it was told')
  await until(() => without.text().split('check of message 1').length > 2) // there is no service at that address
  without.kill('SIGKILL')

  const bot = run({})
  await until(() => chat.of('deleteMessage').length === 2)
  t.match(bot.text(), /delete of message 1 in group: it may not: give the bot the administrator right “Delete messages”/)
  t.match(bot.text(), /notice of message 1 in group: it may not: give the bot the right “Send messages”/)
  await until(() => JSON.parse(readFileSync(state, 'utf8')).jobs.length === 0)
  t.equal(chat.of('sendMessage').length, 1, 'a permanent failure is not retried')
  const asked = { queries: [{ signals: (await hashesOf(known.bytes)).map(({ type, hash }) => ({ type, hash })) }] }
  const found = await service.app.inject({ method: 'POST', url: '/v1/match', headers, payload: asked })
  const [{ matchId }] = found.json<{ results: [{ matches: [{ matchId: string }] }] }>().results[0].matches
  const worth = await service.app.inject({ url: `/v1/matches/${matchId}`, headers })
  t.match(worth.json(), { verdict: 'auto-blocked' }, 'it was reported, although no notice could be sent')
  t.notMatch(without.text() + bot.text(), /1:x/, 'the token is in no line')
})
