// The rows of a corpus in the forms that their readers need: as words, as input of an index, or one alone.

import { hashFromBytes } from '../../dist/packages/hash/src/hash256.js'
import { progress } from '../report.mjs'
import { CHUNK_ROWS, ROW_WORDS } from './corpora.mjs'

/** Rows of one image follow each other: an image has this many views. */
const VIEWS = 16

const ROW_BYTES = 4 * ROW_WORDS
const DRAW_EVERY_CHUNKS = 64

export function imageOf(row) {
  return Math.floor(row / VIEWS)
}

export function viewOf(row) {
  return row % VIEWS
}

/** Calls `visit(words, firstRow, count)` for every chunk in order, and reports progress. The next chunk overwrites the words. */
export function eachChunk(corpus, label, visit) {
  const words = new Uint32Array(CHUNK_ROWS * ROW_WORDS)
  const draw = progress(label, corpus.rows)
  for (let firstRow = 0, chunk = 1; firstRow < corpus.rows; firstRow += CHUNK_ROWS, chunk++) {
    const count = Math.min(CHUNK_ROWS, corpus.rows - firstRow)
    corpus.fill(words, firstRow, count)
    visit(words, firstRow, count)
    if (chunk % DRAW_EVERY_CHUNKS === 0 || firstRow + count === corpus.rows) draw(firstRow + count)
  }
}

/**
 * Calls `visit(rows, columns)` for every chunk: its rows as `{ image, view, hash }`, and the same side by side. The next chunk
 * overwrites both: making 100 million objects would take longer than indexing them.
 */
export function eachBatch(corpus, label, visit) {
  const rows = Array.from({ length: CHUNK_ROWS }, () => ({
    image: 0,
    view: 0,
    hash: hashFromBytes(new Uint8Array(ROW_BYTES)),
  }))
  const aliases = rows.map(({ hash }) => new Uint32Array(hash.buffer))
  const images = new Uint32Array(CHUNK_ROWS)
  const views = new Uint8Array(CHUNK_ROWS)
  eachChunk(corpus, label, (words, firstRow, count) => {
    for (let i = 0; i < count; i++) {
      const alias = aliases[i]
      for (let word = 0; word < ROW_WORDS; word++) alias[word] = words[i * ROW_WORDS + word]
      images[i] = rows[i].image = imageOf(firstRow + i)
      views[i] = rows[i].view = viewOf(firstRow + i)
    }
    const hashes = new Uint8Array(words.buffer, 0, count * ROW_BYTES)
    const columns = { images: images.subarray(0, count), views: views.subarray(0, count), hashes }
    visit(count === CHUNK_ROWS ? rows : rows.slice(0, count), columns)
  })
}

/** One row's words, by making its chunk. */
export function rowOf(corpus, row) {
  const words = new Uint32Array(CHUNK_ROWS * ROW_WORDS)
  const firstRow = row - (row % CHUNK_ROWS)
  corpus.fill(words, firstRow, Math.min(CHUNK_ROWS, corpus.rows - firstRow))
  return words.slice((row - firstRow) * ROW_WORDS, (row - firstRow + 1) * ROW_WORDS)
}
