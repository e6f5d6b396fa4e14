// Measures other libraries with the same rows and queries, in a process that ends before the index is built.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { answerOf, sameAnswer } from './check.mjs'
import { ROW_WORDS } from './corpora.mjs'
import { eachChunk, imageOf, viewOf } from './rows.mjs'

const PYTHON = process.env.TABIR_BENCH_PYTHON ?? '/usr/bin/python3' // the one for which distributions package FAISS
const FAISS = fileURLToPath(new URL('peers/faiss.py', import.meta.url))
const QUERIES = 300
const COMPARED = 30

/**
 * @returns `{ missing }`, why there is no FAISS here; or `{ version, callUs, peers }`, each peer with its `answers` to the
 * first queries, or `skipped`, why it was not run.
 */
export async function runPeers(corpus, queries, needles, thresholdBits) {
  const folder = mkdtempSync(join(tmpdir(), 'tabir-bench-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  const stop = new AbortController()
  const stopped = () => {
    stop.abort()
    remove()
    process.exit(130)
  }
  process.once('SIGINT', stopped).once('SIGTERM', stopped)
  try {
    writeRows(corpus, join(folder, 'rows.bin'))
    writeFileSync(join(folder, 'queries.bin'), Buffer.concat(queries.slice(0, QUERIES).flatMap((query) => query.needles)))
    const result = await runFaiss([folder, needles, thresholdBits, COMPARED], stop.signal)
    for (const [name, peer] of Object.entries(result.peers ?? {})) {
      if (peer.skipped === undefined) peer.answers = readAnswers(join(folder, `${name}.answers`))
    }
    return result
  } finally {
    remove()
    process.off('SIGINT', stopped).off('SIGTERM', stopped)
  }
}

/** @returns how many of a peer's answers are not the engine's. */
export function differing({ answers }, engine, queries, thresholdBits) {
  return answers.filter((answer, i) => !sameAnswer(answer, answerOf(engine.within(queries[i].needles, thresholdBits))))
    .length
}

async function runFaiss(args, signal) {
  if (!existsSync(PYTHON)) return { missing: `there is no ${PYTHON}` }
  const child = spawn(PYTHON, [FAISS, ...args], { stdio: ['ignore', 'pipe', 'inherit'], signal })
  const [output, [code, killedBy]] = await Promise.all([text(child.stdout), once(child, 'close')])
  return code === 0 ? JSON.parse(output) : { missing: `it ended with status ${code ?? killedBy}` }
}

function writeRows(corpus, path) {
  const file = openSync(path, 'wx', 0o600)
  eachChunk(corpus, 'writing rows for FAISS', (words, _, count) => {
    writeSync(file, new Uint8Array(words.buffer, 0, 4 * ROW_WORDS * count))
  })
  closeSync(file)
}

function readAnswers(path) {
  const bytes = Uint8Array.from(readFileSync(path))
  const numbers = new Uint32Array(bytes.buffer)
  const answers = []
  for (let at = 0; at < numbers.length; ) {
    const end = at + 1 + 3 * numbers[at]
    const hits = []
    for (let i = at + 1; i < end; i += 3) {
      hits.push({
        image: imageOf(numbers[i]),
        view: viewOf(numbers[i]),
        transform: numbers[i + 1],
        distanceBits: numbers[i + 2],
      })
    }
    answers.push(answerOf(hits))
    at = end
  }
  return answers
}
