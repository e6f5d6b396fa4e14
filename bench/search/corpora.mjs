// The rows: they follow from a seed and are made in chunks, so that no copy of them is needed beside the index. Any chunk can be made again at any time, so
// the oracle and the peers get the same rows.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { below, sfc32 } from './random.mjs'

export const CORPORA = ['uniform', 'skewed', 'descriptors', 'pathological']
export const CHUNK_ROWS = 4_096
export const ROW_WORDS = 8

const ROW_BYTES = 4 * ROW_WORDS
const SEED = 20_260_214
const SAMPLE = fileURLToPath(new URL('../../test/data/pdq-sample.bin', import.meta.url))
const SAMPLE_NEEDLE_EVERY = 8

/** How far a copy is from the row it was made from: so far that copies of one row are no matches of each other at 31 bits. */
const COPY_DRAWS = { least: 40, most: 70 }

/**
 * @typedef {object} Corpus
 * @property {number} rows
 * @property {string} from what the rows are made from: 'seed', 'folder' or 'sample'
 * @property {(words: Uint32Array, firstRow: number, count: number) => void} fill writes the rows of the chunk at `firstRow`
 * @property {(next: () => number) => Uint32Array} foreign a needle from the same world that was made from no row
 */

/**
 * @param folder where pdq-crops.bin and its like lie, or undefined
 * @returns {Corpus}
 * @throws {Error} when a corpus needs the folder and there is none
 */
export function openCorpus(name, rows, folder) {
  if (name === 'uniform') return { rows, from: 'seed', fill: fillUniform, foreign: randomRow }
  if (name === 'pathological') return pathological(rows)
  const [rowFile, needleFile] =
    name === 'skewed' ? ['pdq-crops.bin', 'pdq-needles.bin'] : ['orb-rows.bin', 'orb-needles.bin']
  if (folder !== undefined && existsSync(join(folder, rowFile)) && existsSync(join(folder, needleFile))) {
    return recorded('folder', wordsOf(join(folder, rowFile)), wordsOf(join(folder, needleFile)), rows)
  }
  if (name !== 'skewed') throw new Error(`the corpus ${name} needs --hashes FOLDER with ${rowFile} and ${needleFile}`)
  return fromSample(rows)
}

function fillUniform(words, firstRow, count) {
  const next = sfc32(SEED, firstRow)
  for (let word = 0; word < count * ROW_WORDS; word++) words[word] = next()
}

function randomRow(next) {
  return Uint32Array.from({ length: ROW_WORDS }, next)
}

/**
 * Rows that were measured. Fewer than there are: spread over all of them. More: all of them, then copies of them in which 40
 * to 70 bits were flipped, drawn one by one, so that now and then a bit is flipped back.
 */
function recorded(from, source, needles, rows) {
  const have = source.length / ROW_WORDS
  function fill(words, firstRow, count) {
    const next = sfc32(SEED, firstRow)
    for (let i = 0; i < count; i++) {
      const row = firstRow + i
      const original = rows < have ? Math.floor((row * have) / rows) : row % have
      const at = i * ROW_WORDS
      for (let word = 0; word < ROW_WORDS; word++) words[at + word] = source[original * ROW_WORDS + word]
      if (row >= have) flipSome(words, at, next)
    }
  }
  function foreign(next) {
    const needle = below(next, needles.length / ROW_WORDS)
    return needles.slice(needle * ROW_WORDS, (needle + 1) * ROW_WORDS)
  }
  return { rows, from, fill, foreign }
}

function flipSome(words, at, next) {
  const draws = COPY_DRAWS.least + below(next, COPY_DRAWS.most - COPY_DRAWS.least + 1)
  let bits = 0
  for (let draw = 0; draw < draws; draw++) {
    if (draw % 4 === 0) bits = next() // four draws of eight bits
    words[at + ((bits >>> 5) & 7)] ^= 1 << (bits & 31)
    bits >>>= 8
  }
}

/** The sample has no needles of its own: every eighth of its rows is one instead, and all are of different photographs. */
function fromSample(rows) {
  const sample = wordsOf(SAMPLE)
  const isNeedle = (word) => Math.floor(word / ROW_WORDS) % SAMPLE_NEEDLE_EVERY === 0
  const needles = sample.filter((_, word) => isNeedle(word))
  const source = sample.filter((_, word) => !isNeedle(word))
  return recorded('sample', source, needles, rows)
}

/**
 * What breaks indexes that look up groups of bits. A third of the rows are equal. A third are zero but for one group of 16
 * bits. A third share 8 of their 16 groups with one fixed row. A needle of the first two kinds matches a third of the rows.
 */
function pathological(rows) {
  const equal = randomRow(sfc32(SEED, -1))
  const shared = new Uint16Array(randomRow(sfc32(SEED, -2)).buffer)
  const kinds = [
    () => equal.slice(),
    (next) => {
      const groups = new Uint16Array(2 * ROW_WORDS)
      groups[below(next, groups.length)] = next()
      return new Uint32Array(groups.buffer)
    },
    (next) => {
      const groups = new Uint16Array(randomRow(next).buffer)
      let toShare = groups.length / 2
      for (let group = 0; group < groups.length; group++) {
        if (below(next, groups.length - group) >= toShare) continue
        groups[group] = shared[group]
        toShare--
      }
      return new Uint32Array(groups.buffer)
    },
  ]
  function fill(words, firstRow, count) {
    const next = sfc32(SEED, firstRow)
    for (let i = 0; i < count; i++) words.set(kinds[(firstRow + i) % kinds.length](next), i * ROW_WORDS)
  }
  const needleKinds = [...kinds, randomRow]
  return { rows, from: 'seed', fill, foreign: (next) => needleKinds[below(next, needleKinds.length)](next) }
}

function wordsOf(file) {
  const bytes = Uint8Array.from(readFileSync(file)) // a copy of its own, which begins at a whole word
  return new Uint32Array(bytes.buffer, 0, Math.floor(bytes.length / ROW_BYTES) * ROW_WORDS)
}
