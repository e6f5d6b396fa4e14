// The algorithms deployed elsewhere, for comparison: hashes of whole pictures at the customary threshold.

import { SignalIndex } from '../../dist/packages/core/src/search/signal-index.js'
import { loadPdqKernelSync } from '../../dist/packages/hash/src/pdq-kernel.js'
import { blockhashesOf, blockhashesOfTiny } from '../../dist/workers/media/imghash-blockhash.js'

const THRESHOLD_BITS = 31
const MIN_PDQ_QUALITY = 50 // below it, PDQ's authors say, a query is not to be asked

const kernel = loadPdqKernelSync()

/** Each with an index of its own. `near` gives the numbers of the pictures that a query would match. */
export function openBaselines() {
  return [
    baseline('pdq', 'whole PDQ@31', wholePdq, (hashes) => hashes.slice(0, 1)),
    baseline('pdqDihedral', 'PDQ+dihedral@31', wholePdq, (hashes) => hashes),
    baseline('imghash', 'imghash@31', wholeBlockhash, (hashes) => hashes),
  ]
}

function baseline(key, name, hashesOf, needlesOf) {
  const index = new SignalIndex()
  return {
    key,
    name,
    add(image, picture) {
      const [hash] = hashesOf(picture).hashes
      if (hash !== undefined) index.insert(image, 0, hash)
    },
    near(picture) {
      const { hashes, isUsable } = hashesOf(picture)
      return isUsable ? index.within(needlesOf(hashes), THRESHOLD_BITS).map(({ image }) => image) : []
    },
  }
}

function wholePdq({ signals }) {
  const whole = signals.find(({ type, view }) => type === 'pdq' && view === 'whole')
  return { hashes: whole?.hashes ?? [], isUsable: whole !== undefined && whole.quality >= MIN_PDQ_QUALITY }
}

/** What imghash gives for these pixels, bit for bit, from the totals of its blocks. */
function wholeBlockhash({ pixels }) {
  const { blockTotals } = kernel.hash(pixels)
  const [hash] = blockTotals === undefined ? blockhashesOfTiny(pixels) : blockhashesOf(blockTotals, pixels)
  return { hashes: [hash], isUsable: true }
}
