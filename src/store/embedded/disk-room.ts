// Free space and size of the disk that a folder is on.

import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

export interface DiskRoom {
  readonly freeBytes: number
  readonly sizeBytes: number
}

/** Works also for a folder that does not exist yet. @returns `undefined` when the system does not tell. */
export async function diskRoom(folder: string): Promise<DiskRoom | undefined> {
  const disk = await statfs(nearestFolder(resolve(folder))).catch(() => undefined)
  return disk === undefined ? undefined : { freeBytes: disk.bavail * disk.bsize, sizeBytes: disk.blocks * disk.bsize }
}

/** The nearest existing parent folder: what is made in it later is on the same disk. */
export function nearestFolder(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestFolder(dirname(path))
}
