// Decides what happens to a file that this browser cannot open: the page offers to send it only if the server can read it.

import { FORMAT_BYTES, formatOf, isDecoded, type MediaFormat } from '../../src/domain/media/media-formats.js'
import { firstBytes, type PackedFile } from '../unpacking/packed-file.js'
import { notAPicture, type OpenFailure, type Outcome, rejected } from './outcome.js'

export function cannotOpen(format: MediaFormat, because: OpenFailure): Outcome {
  return isDecoded(format) ? { kind: 'upload', because, format } : rejected('server-cannot')
}

/** Where the browser can open no picture at all. */
export async function cannotOpenInBrowser(file: Blob | PackedFile): Promise<Outcome> {
  const head = await headOf(file, FORMAT_BYTES)
  if (head === undefined) return rejected('unreadable')
  const format = formatOf(head)
  return format === undefined ? notAPicture(head) : cannotOpen(format, 'browser')
}

/** @returns `undefined` for a file that was deleted, is on a card that was taken out, or cannot be unpacked. */
export async function headOf(file: Blob | PackedFile, bytes: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await firstBytes(file, bytes)
  } catch {
    return undefined
  }
}
