// Applies a picture's colour profile where it changes what a viewer sees.

import sharp from 'sharp'
import type { DecodedPicture } from './decoded-picture.js'
import { plainTiff } from './plain-tiff.js'

/**
 * Converts a picture to sRGB, unless the profile changes none of 4,096 sampled pixels by more than `UNSEEN_LEVELS`.
 *
 * Many profiles only describe sRGB. Applying one can take longer than decoding, and rounding may change hashes that other systems compute without
 * profiles. But the name of a profile cannot be trusted: with one that swaps colours, viewers would show one picture and another would be hashed. So
 * its effect is tested.
 *
 * @param profile an ICC profile for red, green and blue.
 * @returns `picture` itself; or another one, after overwriting `picture`.
 */
export async function inSrgb(picture: DecodedPicture, profile: Buffer): Promise<DecodedPicture> {
  let kept = false
  try {
    kept = !(await isSeen(profile, picture))
    return kept ? picture : await converted(picture, profile)
  } finally {
    if (!kept) picture.data.fill(0)
  }
}

async function isSeen(profile: Buffer, picture: DecodedPicture): Promise<boolean> {
  const sample = lattice(picture)
  const shown = await converted(sample, profile)
  const changed = sample.data.some((byte, k) => Math.abs(byte - (shown.data[k] ?? 0)) > UNSEEN_LEVELS)
  sample.data.fill(0)
  shown.data.fill(0)
  return changed
}

const UNSEEN_LEVELS = 4
const LATTICE_SIDE = 64
const CHANNELS = 3

/** A sample of pixels, evenly spread over the picture. */
function lattice({ data, width, height, aspect }: DecodedPicture): DecodedPicture {
  const sample = Buffer.alloc(LATTICE_SIDE * LATTICE_SIDE * CHANNELS)
  for (let row = 0; row < LATTICE_SIDE; row++) {
    for (let column = 0; column < LATTICE_SIDE; column++) {
      const y = Math.floor(((row + 0.5) * height) / LATTICE_SIDE)
      const x = Math.floor(((column + 0.5) * width) / LATTICE_SIDE)
      data.copy(sample, (row * LATTICE_SIDE + column) * CHANNELS, (y * width + x) * CHANNELS, (y * width + x + 1) * CHANNELS)
    }
  }
  return { data: sample, width: LATTICE_SIDE, height: LATTICE_SIDE, channels: CHANNELS, aspect }
}

async function converted(picture: DecodedPicture, profile: Buffer): Promise<DecodedPicture> {
  const { file, pixels } = plainTiff({ ...picture, profile })
  try {
    picture.data.copy(pixels)
    const data = await sharp(file).toColourspace('srgb').raw().toBuffer()
    return { ...picture, data }
  } finally {
    file.fill(0)
  }
}
