// An import at a steady rate: one request, whose lines are sent when they are due.

import { formatHash } from '../../dist/packages/hash/src/hash256.js'
import { below, sfc32 } from '../search/random.mjs'
import { BANK } from '../service.mjs'
import { json, openConnection, requestBytes } from './connection.mjs'
import { isRight, matchBody, strangerOf } from './queries.mjs'

const TICKS_PER_S = 50
const MAX_UNSENT_BYTES = 4 << 20
const CHECKED = 200

/**
 * Sends `perS` lines a second for so many seconds.
 *
 * @param onSent called when the last line was sent, before the answer is there
 * @returns how many were taken, how long it took to send them, and until the answer was there; `heldUp`, whether the api did
 * not read as fast as was to be sent.
 */
export async function importPaced({ port, key, perS, seconds, onSent }) {
  const connection = await openConnection(port)
  const path = `/v1/banks/${BANK}/signals`
  const linesPerTick = perS / TICKS_PER_S
  const ticks = seconds * TICKS_PER_S
  let heldUp = false
  const answered = connection.answer()
  connection.write(requestBytes('POST', path, key, 'chunked', 'application/x-ndjson'))
  const begun = performance.now()
  for (let tick = 0; tick < ticks; tick++) {
    const lines = Array.from({ length: linesPerTick }, (_, i) => lineOf(strangerOf(tick * linesPerTick + i))).join('')
    connection.write(`${lines.length.toString(16)}\r\n${lines}\r\n`)
    if (connection.unsentBytes > MAX_UNSENT_BYTES) heldUp = true
    await until(begun + ((tick + 1) * 1000) / TICKS_PER_S)
  }
  const sentMs = performance.now() - begun
  connection.write('0\r\n\r\n')
  await onSent()
  const { status, body } = await answered
  const answeredMs = performance.now() - begun
  connection.close()
  // Millions of signals have more characters than a string may have.
  const accepted = status === 201 ? Number(/"accepted":(\d+)/.exec(body.toString('latin1', 0, 100))?.[1]) : 0
  return { sent: ticks * linesPerTick, accepted, sentMs, answeredMs, heldUp }
}

/** @returns how many of a sample of what was imported an api does not find. */
export async function missingOf({ port, key, imported }) {
  const next = sfc32(imported, 0)
  const sample = Array.from({ length: Math.min(CHECKED, imported) }, () => ({
    hash: strangerOf(below(next, imported)),
    distanceBits: 0,
  }))
  const connection = await openConnection(port)
  const { results } = await json(connection, requestBytes('POST', '/v1/match', key, matchBody(sample, true)))
  connection.close()
  return sample.filter((query, i) => !isRight(results[i], query)).length
}

/** How many rows an api says it has. */
export async function rowsOf(port) {
  const connection = await openConnection(port)
  const { rows } = await json(connection, requestBytes('GET', '/health/ready', 'none'))
  connection.close()
  return rows.pdq
}

function lineOf(hash) {
  return `{"type":"pdq","hash":"${formatHash(hash)}"}\n`
}

async function until(ms) {
  const left = ms - performance.now()
  if (left > 0) await new Promise((resolve) => setTimeout(resolve, left))
}
