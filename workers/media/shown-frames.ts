// Helpers of the two decoders of still pictures, for the pictures that one decoding gives.

import type { DecodedPicture } from './decoded-picture.js'
import type { Frame } from './decoder.js'

/** Yields one picture, shown in several ways, each as a frame. At the end it overwrites pictures that the caller did not take. */
export function* framesOf(pictures: DecodedPicture[]): Generator<Frame> {
  const first = pictures[0]
  try {
    for (let pixels = pictures.shift(); pixels !== undefined; pixels = pictures.shift())
      yield pixels === first ? { pixels } : { pixels, isSamePicture: true }
  } finally {
    for (const { data } of pictures) data.fill(0)
  }
}

/** @returns the pictures; if the first two are equal, only the first, after overwriting the second. */
export function withoutEqualSecond(pictures: DecodedPicture[]): DecodedPicture[] {
  const [first, second] = pictures
  if (first === undefined || second?.data.equals(first.data) !== true) return pictures
  second.data.fill(0)
  return [first]
}
