// Reads a file line by line. A record may take several lines.

import type { ReadRecord } from '../domain/organisations/bank-import.js'
import { type LineReader, rejected } from './given-signal.js'

export interface LinedRecord {
  /** From 1. Of a record of several lines, its last one. */
  readonly line: number
  readonly record: ReadRecord
}

export interface RecordReader {
  /**
   * Reads the next line. Never throws: a bad line is a record of the kind `rejected`.
   * @param text `undefined` for a line that is too long.
   * @returns what was completed with this line, by ascending lines. A line within a record of several lines is `blank`.
   */
  read(text: string | undefined, line: number): readonly LinedRecord[]
  /** The file has ended. @param line its last line. */
  end(line: number): readonly LinedRecord[]
  /**
   * The first line of the record that the last line belongs to, if it may have more lines. An import can be continued before that line, not within.
   */
  readonly openFrom: number | undefined
}

/** A reader for formats with one record a line. */
export function singleLines(read: LineReader): RecordReader {
  return {
    openFrom: undefined,
    read: (text, line) => [{ line, record: text === undefined ? rejected('record-too-long') : read(text) }],
    end: () => [],
  }
}
