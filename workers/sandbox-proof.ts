// Process entry, run inside a sandbox before any child: do the decoders load there, can any secret file be reached, and any process be started?
//
// The worker starts it and reads its answer, so the sandbox is tested and not assumed. It runs without Node's permissions, which stop only
// JavaScript: this tests the kernel's part. Even where the sandbox fails, the test changes nothing: it opens a file for writing and closes it, and
// renames the file to its own name.

import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync, realpathSync, renameSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { IsolationLayer } from '../src/domain/isolation-layers.js'

export const PROOF_ENTRY = fileURLToPath(import.meta.url)

/** Device and inode, because a path inside may lead to another file. */
interface Secret {
  readonly path: string
  readonly device: number
  readonly inode: number
}

const Secrets = z.array(z.strictObject({ path: z.string(), device: z.number(), inode: z.number() }))
const Answer = z.strictObject({ reached: z.array(z.string()), startsProcesses: z.boolean() })

/** For a path that does not exist yet, the nearest existing folder is tried: what is created in it would be reachable. */
export function proofArgs(hidden: readonly string[]): string[] {
  const secrets = hidden.map((path): Secret => {
    const found = realpathSync(nearest(resolve(path)))
    const { dev, ino } = statSync(found)
    return { path: found, device: dev, inode: ino }
  })
  return [JSON.stringify(secrets)]
}

/** The layers that the answer of a proof shows; none when it cannot be read. */
export function shownBy(answer: string): IsolationLayer[] {
  try {
    const { reached, startsProcesses } = Answer.parse(JSON.parse(answer))
    return [
      ...(reached.length === 0 ? (['no-secret-files'] as const) : []),
      ...(startsProcesses ? [] : (['one-process'] as const)),
    ]
  } catch {
    return []
  }
}

function nearest(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearest(dirname(path))
}

const DEEDS: Readonly<Record<string, (path: string) => void>> = {
  list: (path) => readdirSync(path),
  read: (path) => closeSync(openSync(path, 'r')),
  truncate: (path) => closeSync(openSync(path, 'r+')),
  rename: (path) => renameSync(path, path),
}

/** The operations that succeeded on a secret. A different file of the same path does not count. */
function reachedOf({ path, device, inode }: Secret): string[] {
  const found = existsSync(path) ? statSync(path) : undefined
  if (found?.dev !== device || found.ino !== inode) return []
  const done = Object.entries(DEEDS).flatMap(([name, deed]) => (isDone(() => deed(path)) ? [name] : []))
  return ['see', ...done]
}

function isDone(deed: () => void): boolean {
  try {
    deed()
    return true
  } catch {
    return false
  }
}

/** A folder is no program: a process that may be started fails at that, with another error. */
function startsProcesses(): boolean {
  const { error } = spawnSync('/')
  return error === undefined || !('code' in error) || error.code !== 'EPERM'
}

if (process.argv[1] === PROOF_ENTRY) {
  await import('./media/decode.js')
  const secrets = Secrets.parse(JSON.parse(process.argv[2] ?? ''))
  process.stdout.write(JSON.stringify({ reached: secrets.flatMap(reachedOf), startsProcesses: startsProcesses() }))
}
