// What was taken back, in files beside the store: whoever restores an older state of the store has to take it back again.

import { type FileHandle, mkdir, open, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { parseUuid } from '../domain/ids.js'
import { type Change, changesBetween, lastRevision } from './changes.js'
import type { Store } from './store.js'

/*
 * One line each, in the order in which it happened, and empty ones between; a file a month:
 *   <revision> images <id> <id>…   these images were erased
 *   <revision> key <id>            this API key was made, changed or revoked
 *   <revision> seen                nothing is missing up to here
 *   <revision> gap                 something may be missing between the line before and here
 *   <revision> back                the store went back to this revision: it was restored
 */
export interface Withdrawals {
  /** Erased since, by id. */
  readonly images: ReadonlySet<string>
  /** API keys that were made, changed or revoked since, by id. */
  readonly keys: ReadonlySet<string>
  /** Whether it is known that nothing is missing. */
  readonly isWhole: boolean
  /** The newest revision that any file knows. */
  readonly revision: number
}

export interface WithdrawalLog {
  /** Adds what happened while no process of this folder was there, from the store's change stream. @throws {Problem} store-away */
  begin(store: Store): Promise<void>
  /**
   * Adds what there is to add of these changes. On disk when it returns: a withdrawal is answered after that.
   * A disk that does not take it keeps nobody from withdrawing: it is told to `onTrouble`, and the file will say that there is a gap.
   */
  note(changes: readonly Change[]): Promise<void>
  /** Not while something is being noted. */
  close(): Promise<void>
}

interface OpenFile {
  readonly path: string
  readonly file: FileHandle
  readonly dev: number
  readonly ino: number
}

/** How much of the stream may have to be read at the next start. */
const SEEN_EVERY = 1000
const FILE = /^\d{4}-\d\d\.log$/
const LINE = /^(\d+) (images|key|seen|gap|back)(?: (.+))?$/

/**
 * @param folder of this process alone.
 * @param now wall clock, for the names of files.
 */
export function withdrawalLogIn(folder: string, now: () => number, onTrouble: (error: unknown) => void): WithdrawalLog {
  let last: number | undefined
  // Invariant: what the newest line says; `last` may be further, when there was nothing to write.
  let written = 0
  let hasGap = false
  // Kept open: each call that waits for the file waits for a turn of the event loop, and whoever withdraws waits for all of them.
  let opened: OpenFile | undefined

  const leave = async () => {
    const left = opened
    opened = undefined
    await left?.file.close()
  }
  const openAt = async (path: string): Promise<OpenFile> => {
    if (opened?.path === path) return opened
    await leave()
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const file = await open(path, 'as', 0o600) // what is written to it is on disk then: one call in place of two
    opened = { path, file, dev: 0, ino: 0 } // to be closed whatever follows
    const { dev, ino } = await file.stat()
    opened = { path, file, dev, ino }
    return opened
  }
  /** @returns whether it is on disk where it will be looked for: somebody may have moved the file, or deleted it. */
  const append = async (path: string, text: string): Promise<boolean> => {
    const { file, dev, ino } = await openAt(path)
    const [there] = await Promise.all([stat(path).catch(() => undefined), file.appendFile(text)])
    if (there?.dev === dev && there.ino === ino) return true
    await leave()
    return false
  }
  const write = async (revision: number, lines: readonly string[]) => {
    const path = join(folder, `${new Date(now()).toISOString().slice(0, 7)}.log`)
    const gap = hasGap ? [`${revision} gap`] : []
    // A line that was cut short by a crash ends here, and is none; nor is an empty one.
    const text = `\n${[...gap, ...lines].join('\n')}\n`
    try {
      if (!(await append(path, text)) && !(await append(path, text)))
        throw new Error('the file of withdrawals does not stay where it is')
      hasGap = false
    } catch (error) {
      hasGap = true
      onTrouble(error)
      await leave().catch(() => {}) // it may be another file, or another disk, the next time
    }
    last = revision
  }
  const note = async (changes: readonly Change[]) => {
    const known = last ?? 0
    const news = changes.filter(({ revision }) => revision > known)
    const newest = news.at(-1)?.revision
    const lines = news.flatMap(lineOf)
    if (newest === undefined) return
    if (lines.length > 0) await write(newest, lines)
    else if (newest - written >= SEEN_EVERY) await write(newest, [`${newest} seen`])
    else {
      last = newest
      return
    }
    written = newest
  }

  return {
    async begin(store) {
      const revision = await lastRevision(store)
      if (last === undefined) {
        const lines = await readLog(folder).catch((error: unknown) => {
          onTrouble(error)
          return []
        })
        last = written = lines.at(-1)?.revision ?? 0
      }
      if (last > revision) {
        await write(revision, [`${revision} back`])
        written = revision
        return
      }
      for await (const changes of changesBetween(store, last, revision)) {
        if (changes === 'gap') {
          hasGap = true
          await write(revision, [`${revision} seen`])
          written = revision
          return
        }
        await note(changes)
      }
    },
    note,
    async close() {
      if (last !== undefined && last > written) await write(last, [`${last} seen`])
      await leave()
    },
  }
}

/**
 * What was taken back after a revision, by all logs together: each process has its own, and what one missed another may have.
 * @throws when a folder cannot be read.
 */
export async function withdrawnSince(folders: readonly string[], revision: number): Promise<Withdrawals> {
  const images = new Set<string>()
  const keys = new Set<string>()
  let newest = 0
  let isWhole = false
  for (const folder of folders) {
    const lines = await readLog(folder)
    let hasGap = false
    let isAfterBack = false
    let reached = 0
    for (const line of lines) {
      newest = Math.max(newest, line.revision)
      if (line.kind === 'back') isAfterBack = true
      // After the store went back, revisions were counted a second time: then everything counts.
      const counts = isAfterBack || line.revision > revision
      if (line.kind === 'gap' && counts) hasGap = true
      if (counts && line.kind === 'images') for (const id of line.names) images.add(id)
      if (counts && line.kind === 'key') for (const id of line.names) keys.add(id)
      reached = line.revision
    }
    if (!hasGap && reached >= revision && lines.length > 0) isWhole = true
  }
  return { images, keys, isWhole, revision: newest }
}

interface Line {
  readonly revision: number
  readonly kind: string
  readonly names: readonly string[]
}

async function readLog(folder: string): Promise<Line[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  })
  const lines: Line[] = []
  for (const name of names.filter((each) => FILE.test(each)).sort()) {
    const texts = (await readFile(join(folder, name), 'utf8')).split('\n')
    texts.pop() // nothing, or a line that a crash cut short: what it was to say is in the stream
    for (const text of texts) {
      const [, revision, kind, rest] = LINE.exec(text) ?? []
      if (revision === undefined || kind === undefined) continue
      const names = rest?.split(' ') ?? []
      lines.push({
        revision: Number(revision),
        kind,
        names: kind === 'images' ? names.filter((id) => parseUuid(id) !== undefined) : names,
      })
    }
  }
  return lines
}

function lineOf(change: Change): string[] {
  if (change.op === 'tombstone') return [`${change.revision} images ${change.imageIds.join(' ')}`]
  if (change.op === 'api-key') return [`${change.revision} key ${change.name}`]
  return []
}
