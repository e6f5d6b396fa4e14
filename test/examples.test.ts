import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { images } from './helpers/multipart.js'
import { scene } from './helpers/pictures.js'
import { keyFor, startService, until } from './helpers/service.js'
import { listen } from './helpers/sockets.js'

const root = fileURLToPath(new URL('../../', import.meta.url))

// Each example runs as somebody would run it who copied it, against this service.
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

/** Registers a picture's hashes as the example itself computes them. */
async function register(t: Test, bytes: Buffer): Promise<void> {
  const { service, headers } = await ready
  const { pixelsOf } = (await import(`${root}examples/pixels.mjs`)) as { pixelsOf: (bytes: Buffer) => Promise<never> }
  const { hashImage } = await import('../src/hash/hash-image.js')
  const { signals } = await hashImage(await pixelsOf(bytes))
  const [first] = signals
  const { statusCode, body } = await service.app.inject({
    method: 'POST',
    url: '/v1/banks/known/signals',
    headers,
    payload: { signals: [{ type: 'pdq', hash: first?.hash, quality: first?.quality }] },
  })
  t.ok(statusCode < 300, body)
}

function start(t: Test, command: string, args: readonly string[], env: object): ChildProcess & { text: () => string } {
  const child = spawn(command, args, { cwd: root, env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (more: string) => (text += more))
  return Object.assign(child, { text: () => text })
}

async function statusOf(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null) return child.exitCode
  const [status] = await once(child, 'exit')
  return status
}

t.test('the walks with curl and with Python end well', async (t) => {
  const { env } = await ready
  const walks = [start(t, 'sh', ['examples/walk.sh'], env), start(t, 'python3', ['examples/walk.py'], env)]
  for (const walk of walks) {
    const status = await statusOf(walk).catch(() => 'cannot be run')
    t.equal(status, 0, walk.text())
  }
})

t.test('the upload hook publishes what nobody registered and refuses what somebody did', async (t) => {
  const { env } = await ready
  const [known, unknown] = [await scene(71), await scene(72)]
  await register(t, known.bytes)
  const hook = start(t, process.execPath, ['examples/fastify-upload-hook.mjs'], { ...env, PORT: '0' })
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

t.test('the bot takes a known photograph out of its group, and leaves the others', async (t) => {
  const { env } = await ready
  const [known, unknown] = [await scene(71), await scene(73)]
  await register(t, known.bytes)
  const files: Record<string, Buffer> = { 'photos/known.jpg': known.bytes, 'photos/unknown.jpg': unknown.bytes }
  const calls: { method: string; body: Record<string, unknown> }[] = []
  const message = (message_id: number, file: string) => ({
    update_id: message_id,
    message: { message_id, chat: { id: -100, title: 'group' }, photo: [{ file_id: 'small' }, { file_id: file }] },
  })
  const updates = [
    [message(1, 'unknown'), message(2, 'known')],
    [{ update_id: 3, message: { message_id: 3, text: 'hello' } }],
  ]
  const standIn = createServer(async (request, response) => {
    const [, kind = '', ...rest] = (request.url ?? '').split('/')
    if (kind === 'file') return response.end(files[rest.slice(1).join('/')])
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const method = rest[0] ?? ''
    const body = JSON.parse(text) as Record<string, unknown>
    calls.push({ method, body })
    if (method === 'getUpdates' && updates.length === 0) return // a long poll that nothing comes of
    const results: Record<string, unknown> = {
      getUpdates: method === 'getUpdates' ? updates.shift() : undefined,
      getFile: { file_path: `photos/${String(body['file_id'])}.jpg` },
    }
    response.end(JSON.stringify({ ok: true, result: results[method] ?? true }))
  })
  standIn.listen(0, '127.0.0.1')
  await once(standIn, 'listening')
  t.teardown(() => {
    standIn.closeAllConnections()
    standIn.close()
  })
  const address = standIn.address()
  const api = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`

  const bot = start(t, process.execPath, ['examples/telegram-bot.mjs'], { ...env, TELEGRAM_API: api, TELEGRAM_TOKEN: '1:x' })
  await until(() => calls.filter(({ method }) => method === 'getUpdates').length === 3)

  t.same(
    calls.filter(({ method }) => method === 'deleteMessage').map(({ body }) => body),
    [{ chat_id: -100, message_id: 2 }],
    bot.text(),
  )
  t.equal(calls.filter(({ method }) => method === 'sendMessage').length, 1)
  t.equal(calls.findLast(({ method }) => method === 'getUpdates')?.body['offset'], 4)
})
