// Process entry, run inside a sandbox before any child: do the decoders load there, and can any secret file be reached?
//
// The worker starts it and reads its answer, so the sandbox is tested and not assumed. It runs without Node's permissions, which stop only
// JavaScript: this tests the kernel's part. Even where the sandbox fails, the test changes nothing: it opens a file for writing and closes it, and
// renames the file to its own name.

import { closeSync, existsSync, openSync, readdirSync, realpathSync, renameSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

export const PROOF_ENTRY = fileURLToPath(import.meta.url)

/** Device and inode, because a path inside may lead to another file. */
interface Secret {
  readonly path: string
  readonly device: number
  readonly inode: number
}

const Secrets = z.array(z.strictObject({ path: z.string(), device: z.number(), inode: z.number() }))
const Answer = z.strictObject({ reached: z.array(z.string()) })

/** For a path that does not exist yet, the nearest existing folder is tried: what is created in it would be reachable. */
export function proofArgs(hidden: readonly string[]): string[] {
  const secrets = hidden.map((path): Secret => {
    const found = realpathSync(nearest(resolve(path)))
    const { dev, ino } = statSync(found)
    return { path: found, device: dev, inode: ino }
  })
  return [JSON.stringify(secrets)]
}

/** Whether the answer of a proof says that it reached nothing. An unreadable answer counts as reached. */
export function reachedNothing(answer: string): boolean {
  try {
    return Answer.parse(JSON.parse(answer)).reached.length === 0
  } catch {
    return false
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

if (process.argv[1] === PROOF_ENTRY) {
  await import('./media/decode.js')
  const secrets = Secrets.parse(JSON.parse(process.argv[2] ?? ''))
  process.stdout.write(JSON.stringify({ reached: secrets.flatMap(reachedOf) }))
}
