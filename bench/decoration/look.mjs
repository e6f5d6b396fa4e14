// The details that a registration keeps of a picture; sheets of drawn decoration.

import sharp from 'sharp'
import { detailsWith } from '../../dist/packages/hash/src/details/details.js'
import { loadDetailsKernelSync } from '../../dist/packages/hash/src/details-kernel.js'
import { loadFrameKernelSync } from '../../dist/packages/hash/src/frame-kernel.js'
import { drawing } from './drawings.mjs'

const details = detailsWith(loadDetailsKernelSync(), loadFrameKernelSync())

/** @param picture a file's bytes. */
export async function registered(picture) {
  const { data, info } = await sharp(picture).flatten().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true })
  return details.register({ data, width: info.width, height: info.height, channels: info.channels })
}

export function sheetsFrom(first, count) {
  return Array.from({ length: count }, (_, i) => Buffer.from(drawing(first + i)))
}
