// Photographs to draw with: from a folder, or drawn scenes. The two sets share none: constants are chosen on `a` and reported on `b`.

import { scenePixels } from '../../dist/test/helpers/pictures.js'
import { photosOf } from '../robustness/photos.mjs'
import { opened, pipeline } from '../variants/picture.mjs'
import { fnv1a } from '../variants/random.mjs'

export const SETS = ['a', 'b']

const SPLIT_OF = { a: 'tuning', b: 'test' } // the split that the other benchmarks use
const LONG_SIDE_PX = 1280
const SHAPES = [
  [960, 720],
  [720, 960],
  [900, 900],
  [1024, 683],
]

/** Photographs for each picture of a group. Enough that no two pictures show the same one: a match of these would not be false. */
const PHOTOS_A_PICTURE = 3

export function photosNeeded(size) {
  return PHOTOS_A_PICTURE * Math.max(size, 8)
}

/** @returns a list of `{ name, read, open }`: a file's bytes, and a picture of at most `LONG_SIDE_PX`. */
export function photographs({ photos, set, seed }, size) {
  if (photos === undefined) return Array.from({ length: photosNeeded(size) }, (_, i) => drawnScene(`${seed} ${set}`, i))
  return photosOf(photos, SPLIT_OF[set], Number.POSITIVE_INFINITY).map(({ name, read }) => ({
    name,
    read,
    open: () => opened(read(), LONG_SIDE_PX),
  }))
}

function drawnScene(seed, i) {
  const [width, height] = SHAPES[i % SHAPES.length]
  const picture = () => ({ ...scenePixels(fnv1a(`scene ${seed} ${i}`) & 0xffffff, { width, height }) })
  return {
    name: `scene-${seed.replaceAll(' ', '-')}-${i}.jpg`,
    read: () => pipeline(picture()).jpeg({ quality: 90 }).toBuffer(),
    open: async () => picture(),
  }
}
