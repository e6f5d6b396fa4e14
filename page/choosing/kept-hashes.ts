// Hashes of pictures that were read and not sent yet, kept in the tab's own storage: a phone kills a tab that reads many pictures, and reading them again
// takes minutes.
//
// Somebody who opens this tab's storage finds the hashes there, as in the tab's memory before. So an entry has no name, no details and no picture,
// and is deleted when it was sent or removed, by the quick exit, when somebody says that she is under 18, and after an hour. The browser may write the
// storage to its own files until then. They are not encrypted: the key would lie beside them.

import { newKey } from '../../src/domain/random-key.js'
import type { Hashed, HashedVideoFile } from '../hashing/outcome.js'

type Read = Hashed | HashedVideoFile

export interface KeptHashes {
  /** Keeps what was read of a chosen file, from its first call on. Does nothing where the browser has no room, or blocks all storage. */
  keep(id: number, read: Read): void
  /** Deletes what was kept of a chosen file. */
  drop(id: number): void
  /** Deletes everything, also what an earlier page in this tab kept. */
  clear(): void
  /** Deletes what is older than an hour. Call it now and then. */
  deleteOld(): void
  /** What an earlier page in this tab kept, oldest first. */
  earlier(): readonly EarlierRead[]
  /** From now on the entry belongs to a file of this page. It keeps its age. */
  adopt(id: number, entry: EarlierRead): void
  /** Deletes what an earlier page kept. What files of this page have stays. */
  discardEarlier(): void
}

export interface EarlierRead {
  readonly key: string
  readonly atMs: number
  readonly read: Read
}

/** Its number is raised when entries change: what another version wrote is deleted. */
const PREFIX = 'read-1-'
export const KEPT_FOR_MS = 3_600_000

/** @param storage opens the storage; it may throw. @param now the clock of the device. */
export function keptHashesIn(storage: () => Storage, now: () => number): KeptHashes {
  /** Entries of files that were chosen on this page, by their ids. */
  const keys = new Map<number, string>()

  const remove = (key: string) => void attempt(() => storage().removeItem(key))

  function entries(): EarlierRead[] {
    const all = tabsKeys(storage).map((key) => ({ key, entry: parsed(attempt(() => storage().getItem(key))) }))
    return all.flatMap(({ key, entry }) => {
      const ageMs = entry === undefined ? -1 : now() - entry.atMs
      if (entry !== undefined && ageMs >= 0 && ageMs < KEPT_FOR_MS) return [{ key, ...entry }]
      remove(key) // too old, of another version, or the clock was set back
      return []
    })
  }

  function earlier(): EarlierRead[] {
    const own = new Set(keys.values())
    return entries()
      .filter(({ key }) => !own.has(key))
      .sort((a, b) => a.atMs - b.atMs)
  }

  return {
    keep(id, read) {
      if (keys.has(id)) return
      const key = PREFIX + newKey()
      const isKept = attempt(() => {
        storage().setItem(key, JSON.stringify({ atMs: now(), read: withoutDetails(read) }))
        return true
      })
      if (isKept) keys.set(id, key)
    },
    drop(id) {
      const key = keys.get(id)
      if (key === undefined) return
      keys.delete(id)
      remove(key)
    },
    clear() {
      keys.clear()
      forgetKeptIn(storage)
    },
    deleteOld: () => void entries(),
    earlier,
    adopt: (id, { key }) => void keys.set(id, key),
    discardEarlier() {
      for (const { key } of earlier()) remove(key)
    },
  }
}

/** Deletes all that is kept, without knowing what was chosen. */
export function forgetKeptIn(storage: () => Storage): void {
  for (const key of tabsKeys(storage)) attempt(() => storage().removeItem(key))
}

function tabsKeys(storage: () => Storage): string[] {
  const all = attempt(() => Array.from({ length: storage().length }, (_, k) => storage().key(k) ?? ''))
  return (all ?? []).filter((key) => key.startsWith('read-'))
}

/** @returns `undefined` where the browser refuses: no room, or no storage at all. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch {
    return undefined
  }
}

/** Details of a picture show more of it than hashes do. */
function withoutDetails(read: Read): Read {
  if (read.kind !== 'hashed') return read
  const { details: _, ...rest } = read
  return rest
}

function parsed(text: string | null | undefined): Omit<EarlierRead, 'key'> | undefined {
  const entry = text == null ? undefined : attempt((): unknown => JSON.parse(text))
  if (!isObject(entry) || !('atMs' in entry) || !('read' in entry)) return undefined
  const { atMs, read } = entry
  return typeof atMs === 'number' && isRead(read) ? { atMs, read } : undefined
}

/** This page wrote it: what is checked is that nothing fails where it is shown. The service checks what is sent. */
function isRead(read: unknown): read is Read {
  if (!isObject(read) || !('kind' in read) || !('quality' in read) || typeof read.quality !== 'number') return false
  if (read.kind === 'hashed') return 'signals' in read && Array.isArray(read.signals)
  const frames = read.kind === 'hashed-video' && 'video' in read && isObject(read.video) && 'frames' in read.video
  return frames && 'protectedShare' in read && typeof read.protectedShare === 'number'
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
