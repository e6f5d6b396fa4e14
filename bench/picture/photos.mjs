// Chooses the photographs that fill the registry, registered ones whose edits are queried, and unregistered ones. No photograph is in two of these groups.

import { photosOf } from '../robustness/photos.mjs'
import { fnv1a } from '../variants/random.mjs'

/** One photograph in so many is held back from what fills the registry; by its name, as the splits. */
const HELD_BACK_OF = 5

/** @returns `filling`: all photographs that are not held back; of `split`, `known` and `foreign` ones alternately. */
export function dealtPhotos(folder, split, limit) {
  const isHeldBack = ({ name }) => (fnv1a(name) >>> 8) % HELD_BACK_OF === 0
  const held = photosOf(folder, split, Number.POSITIVE_INFINITY).filter(isHeldBack)
  return {
    filling: photosOf(folder, 'all', Number.POSITIVE_INFINITY).filter((photo) => !isHeldBack(photo)),
    known: held.filter((_, i) => i % 2 === 0).slice(0, limit),
    foreign: held.filter((_, i) => i % 2 === 1).slice(0, limit),
  }
}
