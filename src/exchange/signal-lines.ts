// Recognises the format of a file of signals by its first line, and reads lines: hex alone, `pdq <hex>`, CSV or JSON.

import { FILE_FORMATS, type FileFormat, type ReadRecord } from '../domain/organisations/bank-import.js'
import { csvReaderFor } from './csv-signals.js'
import { type LineReader, NUL, rejected, signalFrom } from './given-signal.js'
import { readJson } from './json-signals.js'

/**
 * Recognises the format of a file.
 *
 * @param first the first line that is not empty.
 * @returns the format, a reader for the other lines, and the record of the first line itself.
 */
export function readerFor(first: string): Recognised & { readonly format: FileFormat } {
  for (const format of FILE_FORMATS) {
    const found = RECOGNISED[format](first)
    if (found !== undefined) return { format, ...found }
  }
  return { format: 'lines', ...readAs(readPlain, first) }
}

interface Recognised {
  readonly read: LineReader
  readonly first: ReadRecord
}

/** For each format: its reader, if the first line is in this format. */
const RECOGNISED: Readonly<Record<FileFormat, (first: string) => Recognised | undefined>> = {
  ndjson: (first) => (first.startsWith('{') ? readAs(readJson, first) : undefined),
  csv(first) {
    const found = csvReaderFor(first)
    return found?.isHeader === true ? { read: found.read, first: { kind: 'blank' } } : found && readAs(found.read, first)
  },
  lines: () => undefined, // the format of all files that no other one recognises
}

function readAs(read: LineReader, first: string): Recognised {
  return { read, first: read(first) }
}

/** Reads `<64 hex>` or `<type> <64 hex>`. A line that begins with # is a comment. */
export function readPlain(text: string): ReadRecord {
  if (text === '' || text.startsWith('#')) return { kind: 'blank' }
  if (text.includes(NUL)) return rejected('record-unreadable')
  const [, typeText = 'pdq', hex = ''] = /^(?:(\S+)[ \t]+)?(\S+)$/.exec(text) ?? []
  return hex === '' ? rejected('record-unreadable') : signalFrom({ typeText, hex })
}
