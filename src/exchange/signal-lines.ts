// Recognises the format of a file of signals by its first line, and reads lines: hex alone, `pdq <hex>`, CSV, JSON or vPDQ.

import { FILE_FORMATS, type FileFormat, type ReadRecord } from '../domain/organisations/bank-import.js'
import { csvReaderFor } from './csv-signals.js'
import { NUL, rejected, signalFrom } from './given-signal.js'
import { createJsonReader } from './json-signals.js'
import { type RecordReader, singleLines } from './record-reader.js'
import { MAX_SHORT_LINE_CHARS } from './text-lines.js'
import { newSignalOf, readVpdqJson } from './vpdq.js'
import { createVpdqReader, isVpdq } from './vpdq-lines.js'

/**
 * Recognises the format of a file.
 *
 * @param first the first line that is not empty; it is then read like the others, unless it is a header.
 */
export function readerFor(first: string): Recognised & { readonly format: FileFormat } {
  for (const format of FILE_FORMATS) {
    const found = RECOGNISED[format](first)
    if (found !== undefined) return { format, ...found }
  }
  return { format: 'lines', reader: singleLines(readPlain), isHeader: false }
}

interface Recognised {
  readonly reader: RecordReader
  /** Whether the first line is a header. */
  readonly isHeader: boolean
}

/** For each format: its reader, if the first line is in this format. */
const RECOGNISED: Readonly<Record<FileFormat, (first: string) => Recognised | undefined>> = {
  vpdq: (first) => (isVpdq(first) ? { reader: createVpdqReader(), isHeader: false } : undefined),
  ndjson: (first) => (first.startsWith('{') ? { reader: createJsonReader(), isHeader: false } : undefined),
  csv(first) {
    const found = csvReaderFor(first)
    return found && { reader: singleLines(found.read), isHeader: found.isHeader }
  },
  lines: () => undefined, // the format of all files that no other one recognises
}

/** Reads `<64 hex>`, `<type> <hex>`, or `vpdq <JSON>`. A line that begins with # is a comment. */
export function readPlain(text: string): ReadRecord {
  if (text === '' || text.startsWith('#')) return { kind: 'blank' }
  const [, json] = /^vpdq[ \t]+([[{].*)$/i.exec(text) ?? []
  if (json !== undefined) {
    const video = readVpdqJson(json)
    return typeof video === 'string' ? rejected(video) : { kind: 'put', signal: newSignalOf(video, {}) }
  }
  if (text.length > MAX_SHORT_LINE_CHARS) return rejected('record-too-long')
  if (text.includes(NUL)) return rejected('record-unreadable')
  const [, typeText = 'pdq', hex = ''] = /^(?:(\S+)[ \t]+)?(\S+)$/.exec(text) ?? []
  return hex === '' ? rejected('record-unreadable') : signalFrom({ typeText, hex })
}
