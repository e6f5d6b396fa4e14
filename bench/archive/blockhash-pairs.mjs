// How often is blockhash, in any of eight orientations, near for two pictures of different photographs?
//
//   node build.mjs && node bench/archive/blockhash-pairs.mjs FOLDER
//
// FOLDER: the --cache of bench/false-pairs.mjs, whose `registered-…` files are read. Prints the pairs within each distance.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { deserialize } from 'node:v8'
import { SignalIndex } from '../../dist/packages/core/src/search/signal-index.js'
import { blockhashDihedralsOf } from '../../dist/packages/hash/src/dihedral.js'

const WIDEST_BITS = 31

const [folder] = process.argv.slice(2)
if (folder === undefined) {
  console.error('usage: node bench/archive/blockhash-pairs.mjs FOLDER')
  process.exit(2)
}
const files = readdirSync(folder).filter((name) => name.endsWith('.bin'))
const pictures = files.flatMap((name) => deserialize(readFileSync(join(folder, name)))).flatMap(withBlockhash)
const index = new SignalIndex()
for (const [number, { hash }] of pictures.entries()) index.insert(number, 0, hash)

const found = new Array(WIDEST_BITS + 1).fill(0)
for (const [number, { hash, origin }] of pictures.entries())
  for (const { image, distanceBits } of index.within(blockhashDihedralsOf(hash), WIDEST_BITS))
    if (image > number && pictures[image].origin !== origin) found[distanceBits]++

let sum = 0
const within = found.map((count, bits) => {
  sum += count
  return `${bits}: ${sum}`
})
console.log(
  `${pictures.length} pictures, ${pairsOf(pictures)} pairs of different photographs; within bits: ${within.join(', ')}`,
)

function withBlockhash({ picture, signals }) {
  const signal = signals.find(({ type }) => type === 'blockhash')
  return signal === undefined ? [] : [{ origin: picture.origin, hash: Uint8Array.from(signal.hashes[0]) }]
}

function pairsOf(pictures) {
  const ofOrigin = new Map()
  for (const { origin } of pictures) ofOrigin.set(origin, (ofOrigin.get(origin) ?? 0) + 1)
  const own = [...ofOrigin.values()].reduce((total, count) => total + count ** 2, 0)
  return (pictures.length ** 2 - own) / 2
}
