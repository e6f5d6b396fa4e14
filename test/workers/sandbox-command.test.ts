// What code that took over a decoder could not do: a child that obeys, in the sandbox of the real ones.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import type { IsolationLayer } from '../../src/domain/isolation-layers.js'
import { openSandbox, type Sandbox } from '../../workers/sandbox.js'
import { findSandboxCommand, NO_SANDBOX, ownFiles } from '../../workers/sandbox-command.js'
import { scene } from '../helpers/pictures.js'
import { childrenOf } from '../helpers/processes.js'
import { startRedis } from '../helpers/redis.js'
import { hasNamespaces, layersHere } from '../helpers/sandbox.js'
import { until } from '../helpers/service.js'
import { startWorkers } from '../helpers/workers.js'

const LIMITS = { children: 1, memoryMb: 1536, timeLimitMs: 10_000 }
const REAL_CHILD = fileURLToPath(new URL('../../workers/media/child.js', import.meta.url))
const module = (path: string) => pathToFileURL(fileURLToPath(new URL(path, import.meta.url))).href

/** Runs each "image" as a program. Its answer is a quality: 1 for an attempt that succeeded, 0 for one that failed. */
const OBEDIENT_CHILD = `
import { Socket, connect } from 'node:net'
import { spawnSync } from 'node:child_process'
import { Worker } from 'node:worker_threads'
import * as fs from 'node:fs'
import { readFrames, writeFrame } from '${module('../../workers/frames.js')}'
import { isolationHere } from '${module('../../workers/isolation-here.js')}'
const channel = new Socket({ fd: 3, readable: true, writable: true })
channel.on('end', () => process.exit(0)).on('error', () => process.exit(0))
const AsyncFunction = (async () => {}).constructor
const reach = (to) => new Promise((tell) => connect(to).on('connect', () => tell(true)).on('error', () => tell(false)))
readFrames(channel, 1 << 30, async (program) => {
  const run = new AsyncFunction('fs', 'spawnSync', 'Worker', 'reach', program.subarray(1).toString())
  const quality = await run(fs, spawnSync, Worker, reach).then((done) => (done === false ? 0 : 1), () => 0)
  writeFrame(channel, Buffer.from(JSON.stringify({ image: { quality, signals: [] } })))
})
writeFrame(channel, Buffer.from('ready ' + JSON.stringify(isolationHere())))
`

t.test('the real child works in its sandbox and reports its isolation layers', async (t) => {
  const sandbox = openSandbox({
    ...LIMITS,
    entry: [REAL_CHILD],
    sandboxCommand: findSandboxCommand({ readable: ownFiles(), hidden: [] }),
  })
  t.teardown(() => sandbox.close())

  const answer = await sandbox.hash((await scene(300, { width: 320, height: 240 })).bytes, 'submission')

  t.ok('image' in answer && answer.image.quality >= 50)
  const held = await sandbox.isolationLayers
  if (hasNamespaces) t.same(held, layersHere(), 'all layers, where the system has namespaces')
  else t.ok(held.includes('no-bytes-written') || process.platform !== 'linux')
})

t.test('code in a child reaches no network, no store, no other process and no file', { skip: !hasNamespaces }, async (t) => {
  const { place, store, port } = await surroundings(t)
  const caged = await obedient(t, place, true)
  const free = await obedient(t, place, false)
  const deeds: Readonly<Record<string, string>> = {
    'connect to a port of this machine': `return reach({ host: '127.0.0.1', port: ${port} })`,
    'connect to the socket of the store': `return reach(${JSON.stringify(store)})`,
    'read what belongs to the service': `return fs.readFileSync(${JSON.stringify(join(place, 'data', 'seal-keys'))}).length > 0`,
    'read a file of the system': `return fs.readFileSync('/etc/passwd').length > 0`,
    'see the environment of its parent': `return fs.readFileSync('/proc/' + process.ppid + '/environ').length >= 0`,
    'make a file': `return fs.closeSync(fs.openSync(${JSON.stringify(join(place, 'made'))} + process.pid, 'w'))`,
    'start a program': `return spawnSync('/bin/true').status === 0`,
    'start a thread': `return new Promise((tell) => new Worker('', { eval: true }).on('exit', tell))`,
  }
  for (const [what, deed] of Object.entries(deeds)) {
    t.equal(await done(free, deed), 1, `without a sandbox it could ${what}`)
    t.equal(await done(caged, deed), 0, `in its sandbox it cannot ${what}`)
  }
})

// Node's permissions stop JavaScript only. Native code meets the kernel's layers, tried here by a program without Node.
t.test('the kernel layers hold against native code too', { skip: !hasNamespaces }, async (t) => {
  const { place, store } = await surroundings(t)
  const tools = ['/usr/bin', '/usr/sbin', '/bin', '/sbin'].filter((path) => existsSync(path))
  const sandboxCommand = findSandboxCommand({ readable: tools, hidden: [join(place, 'data')], mayFork: true })
  const script = (source: string) => {
    const [program = '', ...args] = sandboxCommand.inside(['/bin/sh', '-c', source])
    return spawnSync(program, args, { env: {}, cwd: '/' }).status
  }

  t.equal(script('exit 0'), 0)
  t.not(script(`echo x > ${place}/written`), 0)
  t.equal(script('grep -qE "^[^ ]+ / [^ ]+ ro[, ]" /proc/self/mounts'), 0, 'the file system is read-only')
  t.not(script('test -e /var/lib'), 0, 'the data of other programs is not there')
  for (const kind of ['user', 'mnt', 'net', 'ipc', 'uts'])
    t.not(
      script(`test "$(readlink /proc/self/ns/${kind})" = "${readlinkSync(`/proc/self/ns/${kind}`)}"`),
      0,
      `${kind}: its own`,
    )
  t.not(script(`cat ${place}/data/seal-keys`), 0, 'a hidden file is not there')
  t.not(script(`test -S ${store}`), 0, 'the socket of the store is not there')
  t.not(script(`cat /proc/${process.pid}/environ`), 0)
  t.not(script(`cat /proc/${process.pid}/mem`), 0)
  t.not(script('mount -t tmpfs tmpfs /mnt'), 0, 'it cannot undo the sandbox')
  t.not(script(`umount ${place}/data`), 0)
  t.not(script('unshare --user --map-root-user mount -t tmpfs tmpfs /mnt && cat /mnt/x'), 0)
  t.equal(script('grep -q "^CapEff:.0*$" /proc/self/status'), 0, 'no capability')
  t.equal(script('test "$(tail -n +3 /proc/net/dev | grep -vc lo:)" = 0'), 0, 'no interface')
})

t.test('the children of a worker do not see the socket of the store', { skip: !hasNamespaces }, async (t) => {
  const redis = await startRedis(t)
  const worker = await startWorkers(t, redis)
  const children = childrenOf(worker.pid ?? 0)

  t.ok(existsSync(`/proc/${worker.pid}/root${redis.socket}`), 'their parent sees it')
  t.equal(children.length, 2)
  await t.resolves(until(() => children.every((pid) => !existsSync(`/proc/${pid}/root${redis.socket}`))))
})

t.test('a system without namespaces is detected', async (t) => {
  const sandbox = openSandbox({ ...LIMITS, entry: [REAL_CHILD], sandboxCommand: NO_SANDBOX })
  t.teardown(() => sandbox.close())
  await sandbox.ready

  const held: readonly IsolationLayer[] = await sandbox.isolationLayers
  t.notOk(held.includes('no-network') || held.includes('node-permissions'))
  t.same(
    held.filter((layer) => layer === 'no-core-dump' || layer === 'no-bytes-written'),
    process.platform === 'linux' ? ['no-core-dump', 'no-bytes-written'] : [],
  )
})

async function surroundings(t: Test) {
  const place = realpathSync(mkdtempSync(join(tmpdir(), 'tabir-cage-')))
  const data = join(place, 'data')
  mkdirSync(data)
  writeFileSync(join(data, 'seal-keys'), 'k1:secret')
  writeFileSync(join(place, 'child.mjs'), OBEDIENT_CHILD)
  const store = join(data, 'redis.sock')
  const servers = [await listening(store), await listening(0)]
  t.teardown(() => {
    for (const server of servers) server.close()
    rmSync(place, { recursive: true, force: true })
  })
  const address = servers[1]?.address()
  if (!existsSync(store) || typeof address !== 'object' || address === null) throw new Error('nobody listens')
  return { place, store, port: address.port }
}

async function listening(at: string | number): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => {}).end())
  await new Promise<void>((tell) =>
    typeof at === 'string' ? server.listen(at, tell) : server.listen(at, '127.0.0.1', tell),
  )
  return server
}

async function obedient(t: Test, place: string, isCaged: boolean): Promise<Sandbox> {
  const entry = join(place, 'child.mjs')
  const sandboxCommand = isCaged
    ? findSandboxCommand({ readable: [...ownFiles(), entry], hidden: [join(place, 'data')] })
    : NO_SANDBOX
  const sandbox = openSandbox({ ...LIMITS, entry: [entry], sandboxCommand })
  t.teardown(() => sandbox.close())
  await sandbox.ready
  return sandbox
}

async function done(sandbox: Sandbox, deed: string): Promise<number | string> {
  const answer = await sandbox.hash(Buffer.from(deed), 'query')
  return 'image' in answer ? answer.image.quality : answer.problem
}
