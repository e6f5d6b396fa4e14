// Fills a catalogue in bulk with hundreds of thousands of registered pictures: rows of real ORB descriptors, as many as the service indexes for each.

import { randomBytes } from 'node:crypto'
import { CASES_BANK_NAME } from '../../dist/packages/core/src/matching/bank.js'
import { MAX_DETAIL_ROWS, MAX_POINTS } from '../../dist/packages/hash/src/details/rows.js'
import { HASH_BYTES, hashFromBytes } from '../../dist/packages/hash/src/hash256.js'
import { progress } from '../report.mjs'
import { CHUNK_ROWS, openCorpus, ROW_WORDS } from '../search/corpora.mjs'

const IMAGES_AT_ONCE = CHUNK_ROWS / MAX_DETAIL_ROWS
const SETTLING_STEPS = 10_000_000
const NOTHING = {
  count: 0,
  images: new Uint16Array(0),
  views: new Uint8Array(0),
  qualities: new Uint8Array(0),
  hashes: new Uint8Array(0),
}
const SIDE_HALVES = 240

/**
 * Rows of one picture lie where a grid of 4 × 4 cells puts them, all upright and of one size: so that a vote has as much to count as
 * it can have.
 *
 * @returns the rows before their bits were permuted, for checks: `corpus`.
 */
export function fill(catalogue, permutation, images, folder) {
  const corpus = openCorpus('descriptors', images * MAX_DETAIL_ROWS, folder)
  const words = new Uint32Array(CHUNK_ROWS * ROW_WORDS)
  const plain = hashFromBytes(new Uint8Array(HASH_BYTES))
  const plainWords = new Uint32Array(plain.buffer)
  const draw = progress('filling', images)
  for (let first = 0; first < images; first += IMAGES_AT_ONCE) {
    const count = Math.min(IMAGES_AT_ONCE, images - first)
    const rows = count * MAX_DETAIL_ROWS
    corpus.fill(words, first * MAX_DETAIL_ROWS, rows)
    const hashes = new Uint8Array(rows * HASH_BYTES)
    for (let row = 0; row < rows; row++) {
      plainWords.set(words.subarray(row * ROW_WORDS, (row + 1) * ROW_WORDS))
      hashes.set(permutation.hash(plain), row * HASH_BYTES)
    }
    catalogue.load(columnsOf(count, first, hashes))
    draw(first + count)
  }
  settle(catalogue)
  return corpus
}

/** Until every row has its place. */
export function settle(catalogue) {
  while (catalogue.index('detail').compact(SETTLING_STEPS)) {}
}

/** As many points as a picture has, of other pictures: what a wrong candidate is verified by. */
export function pointsOf(corpus, permutation, number) {
  const words = new Uint32Array(CHUNK_ROWS * ROW_WORDS)
  const first = (number * MAX_POINTS) % (corpus.rows - MAX_POINTS)
  corpus.fill(words, first, MAX_POINTS)
  const points = Array.from({ length: MAX_POINTS }, (_, i) => ({
    column: (7 * i) % 32,
    row: (5 * i + (i >> 5)) % 32,
    hash: permutation.hash(hashFromBytes(new Uint8Array(words.buffer, i * HASH_BYTES, HASH_BYTES))),
  }))
  return { width: 2 * SIDE_HALVES, height: 2 * SIDE_HALVES, points }
}

function columnsOf(images, first, hashes) {
  const rows = images * MAX_DETAIL_ROWS
  const kins = new Uint8Array(images * HASH_BYTES)
  const subjectGroupNumbers = new DataView(kins.buffer)
  for (let image = 0; image < images; image++) subjectGroupNumbers.setUint32(image * HASH_BYTES, first + image)
  const places = Uint8Array.from({ length: rows }, (_, row) => {
    const cell = row % MAX_DETAIL_ROWS
    return 64 * (cell >> 2) + 4 * (cell & 3)
  })
  return {
    images,
    ids: new Uint8Array(randomBytes(16 * images)),
    tiers: new Uint8Array(images).fill(1),
    categories: new Uint8Array(images),
    banks: new Uint16Array(images),
    bankNames: [CASES_BANK_NAME],
    signals: {
      pdq: NOTHING,
      'pdq-area': NOTHING,
      blockhash: NOTHING,
      sha256: NOTHING,
      detail: {
        count: rows,
        images: Uint16Array.from({ length: rows }, (_, row) => Math.floor(row / MAX_DETAIL_ROWS)),
        views: places,
        qualities: new Uint8Array(rows),
        hashes,
      },
    },
    heads: {
      count: images,
      images: Uint16Array.from({ length: images }, (_, image) => image),
      views: new Uint8Array(images).fill(SIDE_HALVES),
      qualities: new Uint8Array(images).fill(SIDE_HALVES),
      hashes: kins,
    },
  }
}
