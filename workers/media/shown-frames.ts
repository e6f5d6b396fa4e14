// The pictures that one decoding made, for both decoders of still pictures.

import type { DecodedPicture } from './decoded-picture.js'
import type { Frame } from './decoder.js'

/** Overwrites what the caller did not take. */
export function* framesOf(pictures: DecodedPicture[]): Generator<Frame> {
  try {
    for (let pixels = pictures.shift(); pixels !== undefined; pixels = pictures.shift()) yield { pixels }
  } finally {
    for (const { data } of pictures) data.fill(0)
  }
}

/** @returns the same picture on two backgrounds once if both are alike. */
export function differing(pictures: DecodedPicture[]): DecodedPicture[] {
  const [first, second] = pictures
  if (first === undefined || second?.data.equals(first.data) !== true) return pictures
  second.data.fill(0)
  return [first]
}
