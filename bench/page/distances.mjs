// Compares what the page sent with what the server computes for the same files.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { distance, parseHash } from '../../dist/packages/hash/src/hash256.js'
import { hashImage } from '../../dist/workers/media/hashes-of-file.js'
import { percentile } from '../report.mjs'

/** Of what has to be the same, and of what has to be nearly the same. */
export const FEW_BITS = 2
export const MAX_BITS = 8

/**
 * By SHA-256 of the file, because a picture that is refused is not sent.
 * @param sent the images of the page's requests. @param files paths.
 * @returns `pictures`, `refusedByDevice`, and by type and view of hash the `spread` of its distances.
 */
export async function compare(sent, files) {
  const bits = new Map()
  const note = (kind, value) => bits.set(kind, [...(bits.get(kind) ?? []), value])
  const bySha256 = new Map(sent.map((image) => [image.signals.find(({ type }) => type === 'sha256')?.hash, image]))
  let refusedByDevice = 0
  for (const path of files) {
    const buffer = readFileSync(path)
    const { signals, blockhash, quality } = await hashImage(buffer, 'register')
    const digest = await crypto.subtle.digest('SHA-256', buffer)
    const own = bySha256.get(Buffer.from(digest).toString('hex'))
    if (own === undefined) {
      assert.ok(quality < 55, 'what the device refuses, the server would refuse, or nearly')
      refusedByDevice++
      continue
    }
    const ours = own.signals.map(({ type, view, hash }) => ({ type, view, hash: parseHash(hash) }))
    const theirs = [
      ...signals.map(({ type, view, hashes }) => ({ type, view, hash: hashes[0] })),
      { type: 'blockhash', view: 'whole', hash: blockhash[0] },
    ]
    // Each hash to the nearest of its type, in both directions: a hash that only one side has counts too.
    const nearest = (rows, { type, hash }) =>
      Math.min(...rows.filter((row) => row.type === type).map((row) => distance(row.hash, hash)))
    for (const row of theirs) note(`${row.type}, ${row.view}`, nearest(ours, row))
    for (const row of ours) if (row.type === 'pdq-area') note(`${row.type}, ${row.view}`, nearest(theirs, row))
  }
  const kinds = [...bits].map(([kind, values]) => [kind, spread(values)])
  return { pictures: files.length, refusedByDevice, kinds: Object.fromEntries(kinds) }
}

function spread(values) {
  return {
    count: values.length,
    median: percentile(values, 0.5),
    p99: percentile(values, 0.99),
    max: Math.max(...values),
    withinFew: values.filter((value) => value <= FEW_BITS).length,
    beyond: values.filter((value) => value > MAX_BITS).length,
  }
}
