// Writes files: whole under their name, or not at all. Every file of Tabir is written here or by one of the helpers beside this one.

import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { type FileHandle, link, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

export interface WriteOptions {
  /** Fails with EEXIST where there is a file of that name, instead of replacing it. */
  readonly isNew?: boolean
  /** The temporary file, in the folder of the target. It must not exist: EEXIST. A random name when left out. */
  readonly beside?: string
}

type Pieces = Iterable<Uint8Array | string>

const OWNER_ONLY = 0o600
const TEMPORARY = '.new'
/** No writer is silent for so long: it was killed. */
const ABANDONED_AFTER_MS = 600_000

/**
 * Replaces a file. Readers see the old content or the new one, and the new one is on disk when this returns. When anything fails, such as a full
 * disk, the old file stays as it is and the temporary one is removed. Owner only.
 *
 * @param pieces of the content; asked for once the temporary file exists.
 * @throws what `pieces` throws; {Error} with the `code` of the file system.
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

/** The same for callers that cannot wait: small files at the start of a process. */
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

/** Gives a file or folder that is on disk another name, in place of what has it; on disk when this returns. */
export async function moveIntoPlace(from: string, to: string): Promise<void> {
  await rename(from, to)
  await syncFolder(dirname(to))
  if (dirname(from) !== dirname(to)) await syncFolder(dirname(from))
}

/** What a call of the system does: it may write fewer bytes than it was given. A handle of a file is one. */
export interface PartWriter {
  write(bytes: Uint8Array, from: number, length: number, at: number | null): Promise<{ readonly bytesWritten: number }>
}

/**
 * Writes all the bytes. One call of the system may write fewer than it was given, on a nearly full disk for example, without an error.
 * @param at where in the file; its current position when left out.
 */
export async function writeFully(file: PartWriter, bytes: Uint8Array, at?: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const position = at === undefined ? null : at + done
    done += writtenBytes((await file.write(bytes, done, bytes.length - done, position)).bytesWritten)
  }
}

/** For readers, so that nothing but these helpers can open a file to write to it. */
export function openToRead(path: string): Promise<Omit<FileHandle, 'write' | 'writeFile' | 'appendFile' | 'truncate'>> {
  return open(path, 'r')
}

/** The names in a folder are on disk. */
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

/** Some file systems of networks cannot. */
function isUnsupported(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EINVAL' || error.code === 'ENOTSUP')
}

/** @throws where nothing was written: trying again would never end. */
function writtenBytes(count: number): number {
  if (count === 0) throw new Error('The disk takes nothing of a file.')
  return count
}

function bytesOf(piece: Uint8Array | string): Uint8Array {
  return typeof piece === 'string' ? Buffer.from(piece) : piece
}

function temporaryName(path: string): string {
  return `${path}.${randomBytes(16).toString('hex')}${TEMPORARY}`
}

/** Removes what killed writers left beside the file. */
async function removeAbandoned(path: string, nowMs: number): Promise<void> {
  const folder = dirname(path)
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(`${basename(path)}.`) || !name.endsWith(TEMPORARY)) continue
    const left = join(folder, name)
    const found = await stat(left).catch(() => undefined) // another process may be faster
    if (found !== undefined && nowMs - found.mtimeMs > ABANDONED_AFTER_MS) await rm(left, { force: true })
  }
}
