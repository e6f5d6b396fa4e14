// Exports that are interrupted, with an api that stops in the middle of its answer.

import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { randomHashText, until } from '../helpers/service.js'
import { SMALL_DISK, smallDisk } from '../helpers/small-disk.js'
import { collect } from '../helpers/supervised.js'
import { beginTabir, tabir } from '../helpers/tabir.js'

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))

const LINES = Array.from({ length: 2000 }, randomHashText)
const WHOLE = `${LINES.join('\n')}\n`

async function world(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'tabir-export-'))
  let answer: (response: ServerResponse) => void = (response) => response.end(WHOLE)
  const server = createServer((request, response) => {
    request.resume()
    answer(response.setHeader('content-type', 'text/plain'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const { port } = server.address() as AddressInfo
  const file = join(folder, 'list.hex')
  const args = ['export', '--bank', 'list', '--plain', '--format', 'hex', '--out', file, '--url', `http://127.0.0.1:${port}`]
  return { folder, file, args, answerBy: (by: typeof answer) => (answer = by) }
}

const env = { TABIR_API_KEY: 'tbr_test_0' }
const half = (response: ServerResponse) => response.write(WHOLE.slice(0, WHOLE.length / 2))

t.test('a killed export leaves no file under its name, and the next export is complete', async (t) => {
  const { folder, file, args, answerBy } = await world(t)
  answerBy(half)
  const { ran, kill } = beginTabir(env, ...args)
  const part = `${file}.under-way`
  await until(() => Promise.resolve(existsSync(part) && statSync(part).size > 0))
  kill()
  await ran
  t.notOk(existsSync(file))
  t.equal(statSync(part).mode & 0o077, 0, 'the partial file is readable by its owner only')

  answerBy((response) => response.end(WHOLE))
  t.match(await tabir(env, ...args), { status: 0 })
  t.equal(readFileSync(file, 'utf8'), WHOLE)
  t.same(readdirSync(folder), ['list.hex'])
  t.equal(statSync(file).mode & 0o077, 0)
})

t.test('a second export to the same file is refused while the first one runs', async (t) => {
  const { folder, file, args, answerBy } = await world(t)
  let finish = () => {}
  answerBy((response) => {
    half(response)
    finish = () => response.end(WHOLE.slice(WHOLE.length / 2))
  })
  const first = beginTabir(env, ...args)
  await until(() => Promise.resolve(existsSync(`${file}.under-way`) && statSync(`${file}.under-way`).size > 0))
  const finishFirst = finish
  answerBy((response) => response.end(WHOLE))
  t.match(await tabir(env, ...args), { status: 1, errors: /Another export \(process \d+\) is writing this file/ })
  finishFirst()
  t.match(await first.ran, { status: 0 })
  t.equal(readFileSync(file, 'utf8'), WHOLE)
  t.same(readdirSync(folder), ['list.hex'])
})

t.test('an export that the api cuts off leaves no file, and an existing file is not overwritten', async (t) => {
  const { folder, file, args, answerBy } = await world(t)
  answerBy((response) => {
    half(response)
    setTimeout(() => response.destroy(), 50)
  })
  t.match(await tabir(env, ...args), { status: 1, errors: /no file was written/ })
  t.same(readdirSync(folder), [])

  answerBy((response) => response.end(WHOLE))
  t.match(await tabir(env, ...args), { status: 0 })
  answerBy((response) => response.end('another'))
  t.match(await tabir(env, ...args), { status: 1, errors: /not overwritten/ })
  t.equal(readFileSync(file, 'utf8'), WHOLE)
})

t.test('an export to a full disk fails, to a file and to standard output', SMALL_DISK, async (t) => {
  const disk = smallDisk(t)
  const { args, answerBy } = await world(t)
  answerBy((response) => response.end(WHOLE))
  const file = join(disk.path, 'list.hex')
  const to = args.map((each, i) => (args[i - 1] === '--out' ? file : each))
  disk.fill(8)
  t.match(await tabir(env, ...to), { status: 1, errors: /no file was written/ })
  t.same(readdirSync(disk.path), ['filler'])

  const printed = openSync(file, 'w', 0o600)
  const child = fork(MAIN, args.slice(0, -4).concat(args.slice(-2)), {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', printed, 'pipe', 'ipc'],
  })
  t.teardown(() => closeSync(printed))
  let errors = ''
  child.stderr?.on('data', (more) => {
    errors += more
  })
  const [status] = await once(child, 'close')
  t.equal(status, 1)
  t.match(errors, /is incomplete/)
})

t.test('an export whose reader closes the pipe ends silently', async (t) => {
  const { args, answerBy } = await world(t)
  answerBy((response) => response.end(WHOLE))
  const child = spawn(process.execPath, [MAIN, ...args.slice(0, -4), ...args.slice(-2)], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.destroy()
  const errors = collect(child)
  t.same(await once(child, 'close'), [141, null])
  t.match(errors(), /^Api: \S+\n$/, 'only the api is named')
})

t.test('an export retries only if the api sends Retry-After', async (t) => {
  const { file, args, answerBy } = await world(t)
  let asked = 0
  const refuse = (response: ServerResponse, headers: Record<string, string>) =>
    response.writeHead(503, headers).end('{"title":"The store is unavailable.","code":"store-unavailable"}')
  answerBy((response) => (++asked === 1 ? refuse(response, { 'retry-after': '1' }) : response.end(WHOLE)))
  t.match(await tabir(env, ...args), { status: 0 })
  t.equal(readFileSync(file, 'utf8'), WHOLE)
  rmSync(file)
  answerBy((response) => refuse(response, {}))
  t.match(await tabir(env, ...args), { status: 1, errors: /The store is unavailable/ })
  t.notOk(existsSync(file))
})
