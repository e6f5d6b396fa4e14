// Writes files completely or not at all. All of Tabir's files are written by this helper and the others of this folder.

import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { type FileHandle, link, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

export interface WriteOptions {
  /** Fails with EEXIST instead of replacing an existing file. */
  readonly isNew?: boolean
  /** Path of the temporary file, in the folder of the target. Fails with EEXIST if it exists. A random name by default. */
  readonly beside?: string
}

type Pieces = Iterable<Uint8Array | string>

const OWNER_ONLY = 0o600
const TEMPORARY = '.new'
/** A temporary file this old belongs to a process that was killed. */
const ABANDONED_AFTER_MS = 600_000

/**
 * Replaces a file atomically. Readers see the old or the new content; the new one is on disk when this returns. Readable by its owner only.
 *
 * @param pieces the content. They are requested after the temporary file was created.
 * @throws what `pieces` throws; {Error} with the file system's `code`. The old file stays, and the temporary file is removed.
 */
export async function writeWholeFile(
  path: string,
  pieces: Pieces | AsyncIterable<Uint8Array | string>,
  { isNew = false, beside = temporaryName(path) }: WriteOptions = {},
): Promise<void> {
  const file = await open(beside, 'wx', OWNER_ONLY)
  try {
    await removeAbandoned(path, (await file.stat()).mtimeMs)
    for await (const piece of pieces) await writeFully(file, bytesOf(piece))
    await file.sync()
    await file.close() // some file systems report only here that the disk is full
    if (isNew) await link(beside, path)
    else await rename(beside, path)
  } catch (error) {
    await file.close().catch(() => {})
    await rm(beside, { force: true })
    throw error
  }
  if (isNew) await rm(beside, { force: true })
  await syncFolder(dirname(path))
}

/** The same, synchronously: for small files at the start of a process. */
export function writeWholeFileSync(
  path: string,
  pieces: Pieces,
  { isNew = false, beside = temporaryName(path) }: WriteOptions = {},
): void {
  const file = openSync(beside, 'wx', OWNER_ONLY)
  let isOpen = true
  try {
    for (const piece of pieces) {
      const bytes = bytesOf(piece)
      for (let at = 0; at < bytes.length; ) at += writtenBytes(writeSync(file, bytes, at))
    }
    fsyncSync(file)
    isOpen = false
    closeSync(file)
    if (isNew) linkSync(beside, path)
    else renameSync(beside, path)
  } catch (error) {
    if (isOpen) closeSync(file)
    rmSync(beside, { force: true })
    throw error
  }
  if (isNew) rmSync(beside, { force: true })
  if (!HAS_FOLDER_SYNC) return
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } catch (error) {
    if (!isUnsupported(error)) throw error
  } finally {
    closeSync(folder)
  }
}

/** Renames a file or folder, replacing an existing one. The new name is on disk when this returns. */
export async function moveIntoPlace(from: string, to: string): Promise<void> {
  await rename(from, to)
  await syncFolder(dirname(to))
  if (dirname(from) !== dirname(to)) await syncFolder(dirname(from))
}

/** Writes some of the bytes and says how many, as a file handle does. */
export interface PartWriter {
  write(bytes: Uint8Array, from: number, length: number, at: number | null): Promise<{ readonly bytesWritten: number }>
}

/**
 * Writes all bytes. A single system call may write fewer without an error, for example on a nearly full disk.
 * @param at offset in the file; its current position when left out.
 */
export async function writeFully(file: PartWriter, bytes: Uint8Array, at?: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const position = at === undefined ? null : at + done
    done += writtenBytes((await file.write(bytes, done, bytes.length - done, position)).bytesWritten)
  }
}

/** Opens a file for reading only. Other code uses this instead of `open`, so that only these helpers write files. */
export function openToRead(path: string): Promise<Omit<FileHandle, 'write' | 'writeFile' | 'appendFile' | 'truncate'>> {
  return open(path, 'r')
}

/** Waits until the file names in a folder are on disk. */
export async function syncFolder(path: string): Promise<void> {
  if (!HAS_FOLDER_SYNC) return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } catch (error) {
    if (!isUnsupported(error)) throw error
  } finally {
    await folder.close()
  }
}

const HAS_FOLDER_SYNC = process.platform !== 'win32'

/** Whether the error says that the file system cannot sync folders; some network file systems cannot. */
function isUnsupported(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EINVAL' || error.code === 'ENOTSUP')
}

/** @throws {Error} when nothing was written, because retrying would never end. */
function writtenBytes(count: number): number {
  if (count === 0) throw new Error('The file system wrote no bytes. Is the disk full?')
  return count
}

function bytesOf(piece: Uint8Array | string): Uint8Array {
  return typeof piece === 'string' ? Buffer.from(piece) : piece
}

function temporaryName(path: string): string {
  return `${path}.${randomBytes(16).toString('hex')}${TEMPORARY}`
}

/** Removes temporary files of this target that killed processes left. */
async function removeAbandoned(path: string, nowMs: number): Promise<void> {
  const folder = dirname(path)
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(`${basename(path)}.`) || !name.endsWith(TEMPORARY)) continue
    const leftover = join(folder, name)
    const found = await stat(leftover).catch(() => undefined) // another process may have removed it
    if (found !== undefined && nowMs - found.mtimeMs > ABANDONED_AFTER_MS) await rm(leftover, { force: true })
  }
}
