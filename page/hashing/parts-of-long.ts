// Cuts windows out of a long picture, such as a scrolling screenshot, so that its parts are found. The service's workers do the same.

import { type FrameKernel, loadFrameKernel } from '../../packages/hash/src/frame-kernel.js'
import type { FilePicture } from '../../packages/hash/src/hash-image.js'
import { cutOut } from '../../packages/hash/src/pixels.js'
import { windowedSize, windowsOf } from '../../packages/hash/src/windows.js'
import type { MediaFormat } from '../../src/domain/media/media-formats.js'
import { pixelsOf, type Source } from './source.js'

/**
 * Reads the picture a second time, because its parts cannot be recognised at the size at which the whole is hashed.
 *
 * Memory: the picture at `windowedSize`, 48 MB at most, and one window. Both are overwritten here.
 */
export async function* windowsIn(source: Source, format: MediaFormat): AsyncGenerator<FilePicture, void, void> {
  const pixels = await pixelsOf(source, format, windowedSize, 'white')
  try {
    kernel ??= await loadFrameKernel()
    for (const part of windowsOf(pixels, 'register', kernel)) {
      const window = cutOut(pixels, part)
      try {
        yield { pixels: window, isWindow: true }
      } finally {
        window.data.fill(0)
      }
    }
  } finally {
    pixels.data.fill(0)
  }
}

/** Loaded with the first long picture. */
let kernel: FrameKernel | undefined
