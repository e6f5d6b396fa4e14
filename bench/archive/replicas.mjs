// How long does a write wait for a replica's disk, with `WAITAOF` alone and with `WAIT` before it?
//
//   node bench/archive/replicas.mjs [--writes N] [--rounds N] [--json]
//
// A master and one replica on loopback, both on disk at every write. Writes follow one after the other, alternating: as `?replicas=1` sends them
// (src/store/redis/durable-writer.ts), and without the `WAIT`. `WAITAOF` must confirm that each is on two disks.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { readConfig } from '../../dist/src/boot/config.js'
import { findRedisServer, HOW_TO_INSTALL } from '../../dist/src/store/embedded/find-redis.js'
import { percentile } from '../report.mjs'
import { run, wholeNumber } from '../service.mjs'

const { values: args } = parseArgs({
  options: {
    writes: { type: 'string', default: '12' },
    rounds: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
})
const WRITES = wholeNumber(args, 'writes')
const ROUNDS = wholeNumber(args, 'rounds')
const SEEN_TIMEOUT_MS = 100 // as the service does it
const ON_DISK_TIMEOUT_MS = 30_000
const LINKED_TIMEOUT_MS = 30_000
const WAYS = { 'WAITAOF alone': [], 'WAIT, then WAITAOF': [['WAIT', 1, SEEN_TIMEOUT_MS]] }

await run(async (defer) => {
  const folder = mkdtempSync(join(tmpdir(), 'tabir-bench-'))
  defer(() => rmSync(folder, { recursive: true, force: true }))
  const { PATH, TABIR_REDIS_BIN } = process.env
  const found = findRedisServer(readConfig({ PATH, TABIR_REDIS_BIN }))
  if (found === undefined) throw new Error(HOW_TO_INSTALL)
  const [port, replicaPort] = [await freePort(), await freePort()]
  start(defer, found.binary, join(folder, 'master'), port, [])
  const master = connectTo(defer, port)
  await master.ping()
  start(defer, found.binary, join(folder, 'replica'), replicaPort, ['--replicaof', '127.0.0.1', String(port)])
  await linked(master)

  const times = Object.fromEntries(Object.keys(WAYS).map((way) => [way, []]))
  for (let round = 0; round < ROUNDS; round++)
    for (const [way, before] of Object.entries(WAYS))
      for (let i = 0; i < WRITES; i++) times[way].push(await writeMs(master, before, i))
  report(found.version, times)
})

async function writeMs(master, before, value) {
  const begun = performance.now()
  const pipeline = master.pipeline()
  for (const command of [['SET', 'bench', value], ...before, ['WAITAOF', 1, 1, ON_DISK_TIMEOUT_MS]])
    pipeline.call(...command)
  const replies = await pipeline.exec()
  const tookMs = performance.now() - begun
  const [error, disks] = replies.at(-1)
  if (error !== null || disks.join() !== '1,1') throw new Error(`a write is not on two disks: ${error ?? disks}`)
  return tookMs
}

function start(defer, binary, home, port, more) {
  mkdirSync(home)
  const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', home, '--save', '']
  const disk = ['--appendonly', 'yes', '--appendfsync', 'always', '--repl-diskless-sync-delay', '0']
  const server = spawn(binary, [...own, ...disk, ...more], { stdio: 'ignore' })
  const ended = once(server, 'exit')
  defer(async () => {
    server.kill('SIGTERM')
    await ended
  })
}

function connectTo(defer, port) {
  const redis = new Redis(port, '127.0.0.1', { retryStrategy: () => 50 })
  redis.on('error', () => {}) // it is being started
  defer(() => redis.disconnect())
  return redis
}

/** Waits until the replica has the master's data on its disk. The first synchronisation rewrites all of it, which takes time. */
async function linked(master) {
  const giveUpAt = performance.now() + LINKED_TIMEOUT_MS
  for (;;) {
    await master.set('bench', 'linked')
    const [, replicas] = await master.call('WAITAOF', 1, 1, ON_DISK_TIMEOUT_MS)
    if (replicas === 1) return
    if (performance.now() > giveUpAt) throw new Error('the replica does not follow')
    await sleep(50)
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  server.close()
  await once(server, 'close')
  return port
}

function report(version, times) {
  const rows = Object.entries(times).map(([way, ms]) => ({
    way,
    p50Ms: round(percentile(ms, 0.5)),
    maxMs: round(Math.max(...ms)),
  }))
  if (args.json) {
    console.log(JSON.stringify({ version, writes: WRITES, rounds: ROUNDS, rows }))
    return
  }
  console.log(
    `\nWrites one after the other, on the disks of a master and a replica, Redis ${version}, ${ROUNDS} × ${WRITES} of each\n`,
  )
  for (const { way, p50Ms, maxMs } of rows) console.log(`  ${way.padEnd(20)} p50 ${p50Ms} ms   longest ${maxMs} ms`)
}

function round(value) {
  return Number(value.toFixed(2))
}
