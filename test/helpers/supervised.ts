// A supervised service with parts that behave as a test says, and that report to it.

import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import type { PartCommand } from '../../src/boot/kept-part.js'
import { type SuperviseOptions, supervise } from '../../src/boot/supervisor.js'
import type { RedisServer } from '../../src/store/embedded/embedded-redis.js'

const searchPath = process.env['PATH'] ?? ''

/** A part reports to the test over a socket. When the socket closes, the process has ended. */
const partScript = `
import { spawn } from 'node:child_process'
import { connect } from 'node:net'
const [name, behaviour] = process.argv.slice(2)
const report = connect(process.env.REPORT)
const say = (what) => new Promise((done) => report.write(name + ' ' + what + '\\n', done))
const ready = async () => {
  process.send({ ready: true, ...(name === 'api' && { url: 'http://127.0.0.1:1' }) })
  await say('ready')
}
process.on('SIGTERM', async () => {
  await say('asked to stop')
  if (behaviour !== 'stubborn') process.exit()
})
process.on('SIGHUP', () => void say('asked to reload'))
process.on('disconnect', () => process.exit())
await say('started ' + process.pid)
if (behaviour === 'die') process.exit(7)
if (behaviour === 'ready-when-told') report.once('data', ready)
else if (name !== 'child') await ready()
if (behaviour === 'ready-then-die') process.exit(7)
if (behaviour === 'ready-with-child') spawn(process.execPath, [process.argv[1], 'child', ''], { stdio: 'ignore' })
`

export interface More
  extends Partial<Pick<SuperviseOptions, 'isTerminalClosed' | 'now' | 'openRedis' | 'timing' | 'welcome'>> {
  readonly command?: string
  /** For parts that do not stop by themselves. */
  readonly stopTimeoutMs?: number
  /** The attempts to open Redis that fail, counted from 1. */
  readonly redisFailsAtOpening?: readonly number[]
  readonly stopAtOnce?: boolean
}

type Behaviours = Record<'api' | 'workers', string> & { readonly messenger?: string }

/** Runs `supervise` in this process, with parts that behave as told. */
export async function stage(t: Test, behaviours: Behaviours, more: More = {}) {
  const reports = await listenForReports(t)
  const { log, change } = reports
  const printed: string[] = []
  const warned: string[] = []
  const signals = new EventEmitter()
  const noteIn = (lines: string[]) => (line: string) => {
    lines.push(line)
    change.emit('change')
  }
  const note = noteIn(log)
  let openings = 0
  let endRedis = (_lastWords: string) => {}
  const fakeRedis = async (): Promise<RedisServer> => {
    openings += 1
    if (more.redisFailsAtOpening?.includes(openings)) throw new Error(`no luck ${openings}`)
    note('redis opened')
    const exited = new Promise<string>((tell) => {
      endRedis = tell
    })
    const end = (how: string) => {
      note(how)
      endRedis('')
    }
    const alive = () => reports.pids().filter(isAlive).length
    return {
      socket: '/nowhere',
      owned: true,
      exited,
      stop: async () => end(`redis stopped with ${alive()} parts alive`),
      kill: () => end('redis killed'),
    }
  }
  const part = (name: keyof Behaviours): PartCommand => ({
    name,
    command: more.command ?? process.execPath,
    args: [reports.script, name, behaviours[name] ?? ''],
    env: { REPORT: reports.socket },
    stopTimeoutMs: (behaviours[name] === 'stubborn' ? more.stopTimeoutMs : undefined) ?? 60_000,
  })
  const status = supervise({
    openRedis: more.openRedis ?? fakeRedis,
    partsFor: () => {
      note('parts wanted')
      const { messenger } = behaviours
      return { api: part('api'), workers: part('workers'), ...(messenger !== undefined && { messenger: part('messenger') }) }
    },
    signals,
    isTerminalClosed: more.isTerminalClosed ?? (() => false),
    print: noteIn(printed),
    warn: noteIn(warned),
    ...(more.welcome !== undefined && { welcome: more.welcome }),
    now: more.now ?? (() => performance.now()),
    timing: { firstRetryMs: 10, longestRetryMs: 40, sameSignalMs: 60_000, ...more.timing },
  })
  if (more.stopAtOnce) signals.emit('SIGTERM')
  const stop = async () => {
    signals.emit('SIGTERM')
    return await status
  }
  t.teardown(stop)
  return {
    ...reports,
    printed,
    warned,
    signals,
    status,
    stop,
    endRedis: (lastWords: string) => endRedis(lastWords),
    printedLine: (line: string) => reports.until(() => printed.includes(line)),
    warnedLine: (line: string) => reports.until(() => warned.includes(line)),
    ready: () =>
      reports.until(() => printed.length > 0 && reports.count('api ready') > 0 && reports.count('workers ready') > 0),
  }
}

/** Runs `supervise` in its own process, with its own Redis. */
export async function stageProcess(t: Test, redis: object = { searchPath, npmRedis: 'on' }) {
  const reports = await listenForReports(t)
  const dataDir = folder(t)
  const runner = join(folder(t), 'run.mjs')
  const here = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
  writeFileSync(
    runner,
    `import { openRedisServer } from ${here('../../src/store/embedded/embedded-redis.js')}
    import { supervise } from ${here('../../src/boot/supervisor.js')}
    const part = (name) => ({
      name, command: process.execPath, args: [${JSON.stringify(reports.script)}, name, 'ready'],
      env: { REPORT: ${JSON.stringify(reports.socket)} }, stopTimeoutMs: 10_000,
    })
    process.exit(await supervise({
      openRedis: () => openRedisServer({ ...${JSON.stringify(redis)}, dataDir: ${JSON.stringify(dataDir)} }),
      partsFor: () => ({ api: part('api'), workers: part('workers') }),
      signals: process, print: console.log, warn: console.error, now: Date.now,
    }))`,
  )
  const child = spawn(process.execPath, [runner], { stdio: ['ignore', 'ignore', 'pipe'] })
  const exited = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGTERM')
    await exited
  })
  return { ...reports, dataDir, child, exited, stderr: collect(child) }
}

export async function listenForReports(t: Test) {
  const home = folder(t)
  const script = join(home, 'part.mjs')
  writeFileSync(script, partScript)
  const socket = join(home, 'reports')
  const log: string[] = []
  const change = new EventEmitter().setMaxListeners(0)
  const connections = new Map<string, Socket>()
  const pids = new Map<string, number>()
  const server = createServer((connection) => {
    let name = ''
    connection.on('error', () => {})
    createInterface(connection).on('line', (line) => {
      name = line.split(' ')[0] ?? ''
      connections.set(name, connection)
      const pid = /started (\d+)/.exec(line)?.[1]
      if (pid !== undefined) pids.set(name, Number(pid))
      log.push(pid === undefined ? line : `${name} started`)
      change.emit('change')
    })
    connection.on('close', () => {
      log.push(`${name} gone`)
      change.emit('change')
    })
  }).listen(socket)
  await once(server, 'listening')
  t.teardown(() => server.close())
  const count = (line: string) => log.filter((other) => other === line).length
  const until = async (done: () => boolean) => {
    while (!done()) await once(change, 'change')
  }
  return {
    script,
    socket,
    log,
    change,
    count,
    until,
    heard: (line: string, times = 1) => until(() => count(line) >= times),
    pid: (name: string) => pids.get(name) ?? Number.NaN,
    pids: () => [...pids.values()],
    tell: (name: string, what: string) => connections.get(name)?.write(what),
  }
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

export function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'tabir test-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

export function collect({ stderr }: ChildProcess): () => string {
  let text = ''
  stderr?.setEncoding('utf8').on('data', (more: string) => {
    text += more
  })
  return () => text
}
