// How much room the disk of a folder has.

import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

export interface DiskRoom {
  readonly freeBytes: number
  readonly sizeBytes: number
}

/** Also of a folder that is not there yet. @returns `undefined` where the system does not say. */
export async function diskRoom(folder: string): Promise<DiskRoom | undefined> {
  const disk = await statfs(nearestFolder(resolve(folder))).catch(() => undefined)
  return disk === undefined ? undefined : { freeBytes: disk.bavail * disk.bsize, sizeBytes: disk.blocks * disk.bsize }
}

/** The nearest folder that is there: what will be made in it lies on the same disk. */
export function nearestFolder(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestFolder(dirname(path))
}
