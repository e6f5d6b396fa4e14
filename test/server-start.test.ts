// Conditions under which a process must not start: it says why in words, and changes nothing.

import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { readKeyedConfig } from '../src/boot/config.js'
import { makeKeyring } from '../src/store/sealing/seal.js'
import { noteActive } from '../src/store/sealing/seal-ring.js'
import { loadSecrets } from '../src/store/sealing/secrets.js'
import { openLine } from './faults/line.js'
import { authority } from './helpers/authority.js'
import { OPERATOR } from './helpers/operator-settings.js'
import { startRedis, startStore } from './helpers/redis.js'

const PROGRAMS = ['../src/boot/server.js', '../workers/main.js', '../workers/messenger.js'] as const

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'tabir-start-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** @returns how it ended. */
async function started(program: string, env: Readonly<Record<string, string>>) {
  const path = fileURLToPath(new URL(program, import.meta.url))
  const child = spawn(process.execPath, [path], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const [status] = await once(child, 'close')
  return { status, errors, log }
}

// A report contains the environment, and so the seal keys: an uncaught refusal would write it.
t.test('no process starts with options that could dump its memory, and its refusal writes no report', async (t) => {
  const place = folder(t)
  const secret = Buffer.alloc(32, 9).toString('base64')
  const asked = `--report-uncaught-exception --report-on-fatalerror --report-directory=${place}`
  const env = { NODE_OPTIONS: asked, TABIR_SEAL_KEYS: `k:${secret}`, TABIR_DATA_DIR: place }
  for (const program of PROGRAMS) {
    const { status, errors } = await started(program, env)
    t.equal(status, 1, program)
    t.match(errors, /NODE_OPTIONS must not ask for reports/, program)
    t.notOk(errors.includes(secret) || /^ +at /m.test(errors), `${program}: only words`)
  }
  t.same(readdirSync(place), [])
})

t.test('no worker starts with a decoder that has a known vulnerability', async (t) => {
  const old = join(folder(t), 'old.mjs')
  writeFileSync(old, `import sharp from '${import.meta.resolve('sharp')}'; sharp.versions.webp = '1.3.1'`)
  const { status, errors } = await started(PROGRAMS[1], { NODE_OPTIONS: `--import=${old}` })
  t.equal(status, 1)
  t.match(errors, /^image decoders are too old:\nwebp 1\.3\.1, needs 1\.3\.2: CVE-2023-4863.*\n$/)
})

t.test('no api starts with a hand-off on a public address without TLS', async (t) => {
  const { status, errors } = await started(PROGRAMS[0], { TABIR_HANDOFF_HOST: '8.8.8.8', TABIR_DATA_DIR: folder(t) })
  t.equal(status, 1)
  t.match(errors, /^TABIR_HANDOFF_HOST is a public address/)

  // With a certificate it may; then it ends because the address does not belong to this machine.
  const place = folder(t)
  const { socket } = await startRedis(t)
  const { certFile, keyFile } = authority(t).filesFor('8.8.8.8')
  const withTls = await started(PROGRAMS[0], {
    ...{ REDIS_SOCKET: socket, TABIR_HANDOFF_HOST: '8.8.8.8', TABIR_DATA_DIR: place },
    ...{ TABIR_HANDOFF_TLS_CERT: certFile, TABIR_HANDOFF_TLS_KEY: keyFile },
  })
  t.match(withTls, { status: 1, errors: /TABIR_HANDOFF_HOST\): it is no address of this machine/ })
  t.notMatch(withTls.errors, /public address/)
})

t.test('where anybody may come, no seal key is made or used in the data folder', async (t) => {
  const place = folder(t)
  const env = { ...OPERATOR, TABIR_EXPOSURE: 'public', TABIR_TRUST_PROXY: 'none', TABIR_DATA_DIR: place }
  const inside = { TABIR_SEAL_KEY_FILE: join(place, 'deeper', 'keys') }
  for (const program of [PROGRAMS[0], '../src/boot/supervisor.js'])
    for (const own of [{}, inside]) {
      const { status, errors } = await started(program, { ...env, ...own })
      t.equal(status, 1, program)
      t.match(errors, /^TABIR_EXPOSURE is public and the seal keys are in the data folder.*\n$/)
    }
  t.same(readdirSync(place), [], 'nothing was written')
  const keys = `k:${Buffer.alloc(32, 9).toString('base64')}`
  for (const elsewhere of [{ TABIR_SEAL_KEYS: keys }, { TABIR_SEAL_KEY_FILE: `${place}-keys` }])
    t.equal(readKeyedConfig({ ...env, ...elsewhere }).exposure, 'public')
  t.equal(readKeyedConfig({ TABIR_DATA_DIR: place }).exposure, 'private')
})

t.test('an api whose address is taken or foreign names the reason and the settings', async (t) => {
  const { socket } = await startRedis(t)
  const port = await takenPort(t)
  const env = { REDIS_SOCKET: socket, TABIR_DATA_DIR: folder(t) }
  for (const [host, why] of [
    ['127.0.0.1', 'another program has it'],
    ['192.0.2.1', 'it is no address of this machine'],
  ] as const) {
    const { status, errors, log } = await started(PROGRAMS[0], { ...env, TABIR_HOST: host, TABIR_PORT: port })
    t.equal(status, 1)
    const said = errors.replace(/^Waiting for Redis.*\n/, '') // if it got no processor for some seconds
    // An address for other machines may be behind a proxy.
    t.equal(/TABIR_TRUST_PROXY is not set/.test(log), host !== '127.0.0.1')
    t.equal(said, `The api cannot listen on port ${port} of ${host} (TABIR_PORT, TABIR_HOST): ${why}.\n`)
  }
})

t.test('a file, folder or address that cannot be used is named with its setting', async (t) => {
  const { socket } = await startRedis(t)
  const place = folder(t)
  const file = join(place, 'file')
  writeFileSync(file, '')
  const own = { REDIS_SOCKET: socket, TABIR_DATA_DIR: place }
  for (const [env, said] of [
    [{ ...own, TABIR_EXCHANGES_FILE: join(place, 'none') }, /^The file of TABIR_EXCHANGES_FILE cannot be read: /m],
    [{ ...own, TABIR_SEAL_KEY_FILE: place }, /^The file with the seal keys cannot be used \(TABIR_SEAL_KEY_FILE/m],
    [{ ...own, TABIR_DATA_DIR: file }, /^The file with the seal keys cannot be used \(.*TABIR_DATA_DIR\)/m],
    [{ ...own, TABIR_DATA_DIR: '/proc/x' }, /^The f.* cannot be used \(.*TABIR_DATA_DIR\)/m],
    [{ ...own, TABIR_SEAL_KEY_FILE: '/proc/x/y' }, /^The file with the seal keys cannot be used \(TABIR_SEAL_KEY_FILE/m],
    [{ ...own, TABIR_HANDOFF_HOST: '192.168.255.254' }, /\(TABIR_HANDOFF_PORT, TABIR_HANDOFF_HOST\): it is no address/m],
    [{ ...own, TABIR_WITHDRAWALS_DIR: '/proc/x' }, /^The folder for withdrawals cannot be used \(TABIR_WITHDRAWALS_DIR/m],
    [{ ...own, TABIR_WITHDRAWALS_DIR: file }, /^The folder for withdrawals cannot be used \(TABIR_WITHDRAWALS_DIR/m],
  ] as const) {
    const { status, errors } = await started(PROGRAMS[0], env)
    t.equal(status, 1)
    t.match(errors, said)
    t.notMatch(errors, /^ +at /m, 'only words')
    t.notMatch(errors, /cannot be used yet \(The f/, 'Redis is not blamed')
  }
  for (const [folder, why] of [
    [file, 'EEXIST'],
    ['/proc/x', 'ENOENT'],
  ] as const) {
    const { status, errors } = await started('../src/boot/supervisor.js', { TABIR_DATA_DIR: folder })
    t.match({ status, errors }, { status: 1, errors: `The data folder cannot be used (TABIR_DATA_DIR): ${why}` })
  }
})

t.test('an api says at its start how a Redis of the operator may lose what was acknowledged', async (t) => {
  const { socket } = await startRedis(t)
  const port = await takenPort(t)
  const env = { REDIS_SOCKET: socket, TABIR_DATA_DIR: folder(t), TABIR_PORT: port }
  const RISKS = /keeps no log on disk|evicts data/g
  t.notMatch((await started(PROGRAMS[0], env)).log, RISKS)
  const redis = new Redis(socket)
  await redis.config('SET', 'appendonly', 'no')
  await redis.config('SET', 'maxmemory-policy', 'allkeys-lru')
  redis.disconnect()
  t.same((await started(PROGRAMS[0], env)).log.match(RISKS), ['keeps no log on disk', 'evicts data'])
})

t.test('with a missing or wrong seal key no process that needs it starts, and nothing is changed', async (t) => {
  const { socket, store, redis } = await startStore(t)
  const ring = makeKeyring([Buffer.alloc(32, 7)])
  await loadSecrets(store, ring)
  await noteActive(store, ring)
  const dump = async () => {
    const names = (await redis.keys('*')).sort()
    return Promise.all(names.map(async (name) => [name, await redis.dumpBuffer(name)]))
  }
  const before = await dump()
  t.ok(before.length > 0)
  const place = folder(t)
  const wrong = `k:${Buffer.alloc(32, 8).toString('base64')}`

  for (const program of ['../src/boot/server.js', '../workers/messenger.js'] as const) {
    const missing = await started(program, { REDIS_SOCKET: socket, TABIR_DATA_DIR: place })
    t.match(missing, { status: 1, errors: /^The file with the seal keys is missing.*Nothing was changed\.$/m }, program)
    const other = await started(program, { REDIS_SOCKET: socket, TABIR_DATA_DIR: place, TABIR_SEAL_KEYS: wrong })
    t.match(other, { status: 1, errors: /not in the ring.*Nothing was changed/ }, program)
  }

  t.same(await dump(), before)
  t.same(readdirSync(place), [], 'no useless key was made')
})

// As when it is suspended, or its machine is overloaded: it accepts connections and answers nothing.
t.test('a process that starts while Redis is silent says that it waits, and is ready once Redis answers', async (t) => {
  const { socket, dataDir } = await startRedis(t)
  const line = await openLine(join(dataDir, 'line'), () => socket)
  t.teardown(() => line.close())
  const env = { PATH: process.env['PATH'], REDIS_SOCKET: line.socket, TABIR_DATA_DIR: folder(t), TABIR_PORT: '0' }
  for (const program of PROGRAMS) {
    line.silence()
    const path = fileURLToPath(new URL(program, import.meta.url))
    const child = fork(path, { env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    const closed = once(child, 'close')
    let errors = ''
    const waits = new Promise<void>((resolve) => {
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        errors += text
        if (/^Waiting for Redis, for 30 s at most: .*timed out/m.test(errors)) resolve()
      })
    })
    t.equal(await Promise.race([waits.then(() => 'waits'), closed.then(() => errors)]), 'waits', program)

    line.heal()

    const isReady = once(child, 'message').then(([message]) => message.ready)
    t.equal(await Promise.race([isReady, closed.then(() => errors)]), true, program)
    const filter = `/proc/${child.pid}/coredump_filter`
    if (existsSync(filter)) t.equal(readFileSync(filter, 'utf8').trim(), '00000000', 'no memory in a core dump')
    child.kill()
    t.same(await closed, [0, null], program)
  }
})

/** A port of this machine that another program listens on. */
async function takenPort(t: Test): Promise<string> {
  const taken = createServer().listen(0, '127.0.0.1')
  t.teardown(() => taken.close())
  await once(taken, 'listening')
  const address = taken.address()
  return typeof address === 'object' ? String(address?.port) : ''
}
