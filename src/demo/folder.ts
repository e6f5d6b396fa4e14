// The pictures of a folder.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { FORMAT_BYTES, formatOf, isDecoded, MEDIA_FORMATS } from '../domain/media/media-formats.js'

export interface DemoPicture {
  readonly name: string
  readonly contentType: string
  /** Reads the file each time: a folder may not fit into memory. */
  readonly read: () => Promise<Buffer>
}

export interface Skipped {
  readonly name: string
  readonly reason: string
}

export interface Folder {
  readonly pictures: readonly DemoPicture[]
  readonly skipped: readonly Skipped[]
}

/**
 * Lists the pictures of a folder, by content rather than by name. Subfolders are ignored.
 * @returns `undefined` if the folder does not exist or cannot be read
 */
export async function readFolder(folder: string): Promise<Folder | undefined> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined)
  if (entries === undefined) return undefined
  const pictures: DemoPicture[] = []
  const skipped: Skipped[] = []
  const files = entries.filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name)
  for (const file of files.toSorted()) {
    const path = join(folder, file)
    const format = await headOf(path).then(formatOf, () => undefined)
    if (format === undefined || !isDecoded(format)) skipped.push({ name: file, reason: 'not a picture that can be read' })
    else pictures.push({ name: file, contentType: MEDIA_FORMATS[format].mimeType, read: () => readFile(path) })
  }
  return { pictures, skipped }
}

function headOf(path: string): Promise<Buffer> {
  return buffer(createReadStream(path, { end: FORMAT_BYTES - 1 }))
}

/** @returns the pictures that are not the same file as one of `others`: the folder may have the demo's own pictures. */
export async function unlike(pictures: readonly DemoPicture[], others: readonly DemoPicture[]): Promise<DemoPicture[]> {
  const taken = new Set<string>()
  for (const other of others) taken.add(await digestOf(other))
  const digests = await Promise.all(pictures.map(digestOf))
  return pictures.filter((_, i) => !taken.has(digests[i] ?? ''))
}

async function digestOf({ read }: DemoPicture): Promise<string> {
  return createHash('sha256')
    .update(await read())
    .digest('hex')
}
