// Makes folders with all that are missing above them. Node's own `recursive` never returns where the kernel says ENOENT although the folder
// above exists, as in /proc.

import { accessSync, constants, mkdirSync, statSync } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** For its owner only. */
const OPTIONS = { mode: 0o700 }

/** Makes a folder unless it exists. @throws {Error} with the file system's `code` */
export async function makeFolder(path: string): Promise<void> {
  const isThere = async (folder: string) => (await stat(folder).catch(() => undefined))?.isDirectory() === true
  if (await isThere(path)) return
  if (dirname(path) !== path) await makeFolder(dirname(path))
  await mkdir(path, OPTIONS).catch(async (error: unknown) => {
    if (!(await isThere(path))) throw error // otherwise another process made it
  })
}

/** The same, synchronously: for the start of a process. */
export function makeFolderSync(path: string): void {
  const isThere = () => {
    try {
      return statSync(path).isDirectory()
    } catch {
      return false
    }
  }
  if (isThere()) return
  if (dirname(path) !== path) makeFolderSync(dirname(path))
  try {
    mkdirSync(path, OPTIONS)
  } catch (error) {
    if (!isThere()) throw error
  }
}

/** Makes a folder unless it exists. @throws {Error} with the file system's `code`, also if this process may not write to it */
export function makeWritableFolderSync(path: string): void {
  makeFolderSync(path)
  accessSync(path, constants.W_OK)
}
