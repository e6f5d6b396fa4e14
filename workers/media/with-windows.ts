// Adds windows of a long picture to the frames of a file.

import { type FrameKernel, loadFrameKernelSync } from '../../packages/hash/src/frame-kernel.js'
import { cutOut } from '../../packages/hash/src/pixels.js'
import { isLong, windowedSize, windowsOf } from '../../packages/hash/src/windows.js'
import type { DecodedPicture } from './decoded-picture.js'
import type { Frame, FrameLimits } from './decoder.js'

/**
 * Yields all frames of a file; then, if the first one is long, windows of it. For these it decodes the file a second time, because the first time
 * reduced the picture to a size at which its parts cannot be recognised.
 *
 * Memory: the picture at `windowedSize`, 36 MB at most, and one window. The picture is overwritten here, even after an error.
 * @throws what `open` throws.
 */
export async function* withWindows(
  open: (limits: FrameLimits) => AsyncIterable<Frame>,
  limits: FrameLimits,
): AsyncGenerator<Frame, void, void> {
  let aspect: number | undefined
  for await (const frame of open(limits)) {
    aspect ??= frame.pixels.aspect
    yield frame
  }
  if (aspect === undefined || !isLong(aspect)) return
  for await (const { pixels } of open({ ...limits, sizeFor: windowedSize, maxFrames: 1 })) {
    try {
      kernel ??= loadFrameKernelSync()
      for (const part of windowsOf(pixels, limits.purpose, kernel)) yield { pixels: windowOf(pixels, part), isWindow: true }
    } finally {
      pixels.data.fill(0)
    }
    return
  }
}

/** Loaded with the first long picture. */
let kernel: FrameKernel | undefined

function windowOf(pixels: DecodedPicture, part: Parameters<typeof cutOut>[1]): DecodedPicture {
  const { data, width, height } = cutOut(pixels, part)
  return { data: Buffer.from(data.buffer), width, height, channels: 3, aspect: width / height }
}
