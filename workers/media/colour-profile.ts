// Applies a picture's colour profile where it changes what a viewer sees.

import sharp from 'sharp'
import type { DecodedPicture } from './decoded-picture.js'

/**
 * The picture in sRGB. When the profile hardly changes any of 4,096 of its pixels, the same object is returned.
 *
 * Many profiles are long descriptions of sRGB. Applying one can take longer than decoding, and rounding may change hashes that other systems
 * compute without profiles. But a profile must not be ignored because of its name: one that swaps colours would show a viewer one picture
 * and hash another. So its effect is tested and not its description.
 *
 * @param profile an ICC profile for red, green and blue.
 * @returns `picture`, or another one after `picture` was overwritten.
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
  const file = tiffOf(picture, profile)
  try {
    const data = await sharp(file).toColourspace('srgb').raw().toBuffer()
    return { ...picture, data }
  } finally {
    file.fill(0)
  }
}

const SHORT = 3
const LONG = 4
const UNDEFINED = 7

/** sharp accepts profiles only as part of a file, so the pixels are wrapped in an uncompressed TIFF 6.0 with one strip. */
function tiffOf({ data, width, height }: DecodedPicture, profile: Buffer): Buffer {
  const depthsAt = 8
  const profileAt = depthsAt + 2 * CHANNELS
  const pixelsAt = profileAt + profile.length + (profile.length % 2)
  const directoryAt = pixelsAt + data.length + (data.length % 2)
  const fields = [
    [256, LONG, 1, width],
    [257, LONG, 1, height],
    [258, SHORT, CHANNELS, depthsAt],
    [259, SHORT, 1, 1], // not compressed
    [262, SHORT, 1, 2], // red, green, blue
    [273, LONG, 1, pixelsAt],
    [277, SHORT, 1, CHANNELS],
    [278, LONG, 1, height],
    [279, LONG, 1, data.length],
    [34675, UNDEFINED, profile.length, profileAt],
  ] as const

  const file = Buffer.alloc(directoryAt + 2 + 12 * fields.length + 4)
  file.write('II*\0', 'latin1')
  file.writeUInt32LE(directoryAt, 4)
  for (let channel = 0; channel < CHANNELS; channel++) file.writeUInt16LE(8, depthsAt + 2 * channel)
  profile.copy(file, profileAt)
  data.copy(file, pixelsAt)
  file.writeUInt16LE(fields.length, directoryAt)
  for (const [k, [tag, type, count, value]] of fields.entries()) {
    const at = directoryAt + 2 + 12 * k
    file.writeUInt16LE(tag, at)
    file.writeUInt16LE(type, at + 2)
    file.writeUInt32LE(count, at + 4)
    file.writeUInt32LE(value, at + 8) // a short is stored in the first two bytes, since this is little endian
  }
  return file
}
