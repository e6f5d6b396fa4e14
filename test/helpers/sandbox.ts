// The workers' sandbox, with a child that runs a test's program in place of hashing.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Test } from 'tap'
import { ISOLATION_LAYERS, type IsolationLayer } from '../../src/domain/isolation-layers.js'
import { findThreadLimit } from '../../workers/limits/thread-limit.js'
import { openSandbox, type Sandbox, type SandboxOptions } from '../../workers/sandbox.js'
import { NO_SANDBOX } from '../../workers/sandbox-command.js'

const FRAMES = pathToFileURL(fileURLToPath(new URL('../../workers/frames.js', import.meta.url))).href
const OUT_OF_MEMORY = pathToFileURL(fileURLToPath(new URL('../../workers/media/out-of-memory.js', import.meta.url))).href
export const UNDECODABLE = { problem: 'image-undecodable' }

/** Whether this system has namespaces: otherwise containers must provide them, and the runbook says so. */
export const hasNamespaces =
  process.platform === 'linux' &&
  spawnSync('/usr/bin/unshare', ['--user', '--map-root-user', '--mount', '--net', '--', '/bin/true']).status === 0

const FILTER = fileURLToPath(new URL(`../../workers/limits/decoder-${process.arch}.bpf`, import.meta.url))
/** Whether `setpriv` loads filters of system calls: since util-linux 2.41. */
export const hasFilters =
  process.platform === 'linux' &&
  spawnSync('/usr/bin/setpriv', ['--no-new-privs', '--seccomp-filter', FILTER, '--', '/bin/true']).status === 0

/** The layers of a system with namespaces. */
export function layersHere(): readonly IsolationLayer[] {
  const hasFewThreads = findThreadLimit('/usr/bin/unshare', '/usr/bin/prlimit') !== undefined
  return ISOLATION_LAYERS.filter(
    (layer) => (layer !== 'one-process' || hasFilters) && (layer !== 'few-threads' || hasFewThreads),
  )
}

const OPTIONS: SandboxOptions = { children: 1, memoryMb: 1536, timeLimitMs: 10_000, entry: [], sandboxCommand: NO_SANDBOX }

/** A child that runs each "image" as a program, and answers with its result as the quality. */
export const OBEDIENT_CHILD = `
import { Socket } from 'node:net'
import { readFrames, writeFrame } from '${FRAMES}'
import { exitOnUncaught } from '${OUT_OF_MEMORY}'
import * as fs from 'node:fs'
exitOnUncaught()
const channel = new Socket({ fd: 3, readable: true, writable: true })
channel.on('end', () => process.exit(0)).on('error', () => process.exit(0))
const say = (text) => writeFrame(channel, Buffer.from(text))
const AsyncFunction = (async () => {}).constructor
readFrames(channel, 1 << 30, async (program) => {
  const quality = await new AsyncFunction('fs', 'channel', 'say', program.subarray(1).toString())(fs, channel, say)
  say(JSON.stringify({ image: { quality, signals: [] } }))
})
say('ready')
`

export async function openWith(t: Test, options: Partial<SandboxOptions>): Promise<Sandbox> {
  const sandbox = openSandbox({ ...OPTIONS, ...options })
  t.teardown(() => sandbox.close())
  await sandbox.ready
  return sandbox
}

/**
 * With a folder where a program can create an empty file, and nothing else. This shows how often it was started.
 */
export async function openObedient(t: Test, options: Partial<SandboxOptions> = {}) {
  const place = realpathSync(mkdtempSync(join(tmpdir(), 'tabir-sandbox-')))
  t.teardown(() => rmSync(place, { recursive: true, force: true }))
  const entry = join(place, 'child.mjs')
  writeFileSync(entry, OBEDIENT_CHILD)
  const sandbox = await openWith(t, { ...options, entry: [entry] })
  const folderOf = (name: string) => join(place, `begun ${name}`)
  const count = Object.assign(
    (name: string, source: string) => {
      const folder = JSON.stringify(folderOf(name))
      return program(`
        const place = ${folder}
        fs.mkdirSync(place, { recursive: true })
        fs.closeSync(fs.openSync(place + '/' + process.pid, 'w'))
        ${source}`)
    },
    { of: (name: string) => (existsSync(folderOf(name)) ? readdirSync(folderOf(name)).length : 0) },
  )
  return { sandbox, place, count }
}

export function program(source: string): Buffer {
  return Buffer.from(source)
}
