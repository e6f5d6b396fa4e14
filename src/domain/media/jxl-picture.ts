// Reads JPEG XL with jxl-oxide compiled to WebAssembly. Workers and browsers both use it.

import { Problem } from '../problem.js'
import { instantiateJxl, type JxlInstance, PAGE_BYTES } from './jxl-instance.js'

export interface JxlLimits {
  readonly maxPixels: number
  readonly maxSidePx: number
  /** For all memory of the decoder, including the file and the picture. */
  readonly maxMemoryBytes: number
  /** Whether a file that ends too early is decoded as far as it goes. */
  readonly isPartShown: boolean
}

export interface JxlFile {
  readonly width: number
  readonly height: number
  /** Number of frames of an animation; 1 for other files. */
  readonly frames: number
  /**
   * @param frame from 0, less than `frames`.
   * @returns a PNG of the frame, rotated as it is shown. In the decoder's memory: valid until the next call, and overwritten by `close`.
   * @throws {Problem} as `openJxl` does.
   */
  png(frame: number): Uint8Array<ArrayBuffer>
  /** Overwrites all memory of the decoder. The caller must call it. */
  close(): void
}

/**
 * Reads the file; `png` decodes. The caller overwrites `bytes`.
 *
 * If the file stores XYB, as lossy encoders do, the PNG has 8 bits in sRGB, and HDR is tone-mapped. Other files keep their colour space, which an
 * `iCCP` or `cICP` chunk of the PNG names.
 *
 * Cost of `png`: 0.2 µs a pixel for flat pictures to 0.5 µs for photographs, mostly for writing PNG, and 34 bytes a pixel.
 *
 * @param compiled by `compileJxl`.
 * @throws {Problem} `image-undecodable` for a damaged file; `media-unsupported` for CMYK; `image-too-many-pixels` when the picture, or what decoding
 *   needs, exceeds a limit; `hashing-unavailable` when this machine has too little memory.
 */
export function openJxl(compiled: WebAssembly.Module, bytes: Uint8Array, limits: JxlLimits): JxlFile {
  const instance = instantiated(compiled, limits)
  let isOpen = true
  const close = () => {
    if (isOpen) new Uint8Array(instance.memory.buffer).fill(0)
    isOpen = false
  }
  const guarded: Guard = (use) => {
    if (!isOpen) throw new Error('the file is closed')
    try {
      return use()
    } catch (error) {
      const usedBytes = instance.memory.buffer.byteLength
      close()
      throw error instanceof Problem ? error : problemOf(instance, usedBytes, limits)
    }
  }
  return { ...guarded(() => opened(instance, bytes, limits, guarded)), close }
}

function instantiated(compiled: WebAssembly.Module, { maxMemoryBytes }: JxlLimits): JxlInstance {
  try {
    return instantiateJxl(compiled, maxMemoryBytes)
  } catch (error) {
    throw error instanceof RangeError ? new Problem('hashing-unavailable') : error
  }
}

/** A WebAssembly trap does not say whether the file was damaged or memory was missing. So this tells by how much memory was used and is left. */
function problemOf({ memory }: JxlInstance, usedBytes: number, { maxMemoryBytes }: JxlLimits): Problem {
  try {
    memory.grow(Math.ceil(maxMemoryBytes / PAGE_BYTES) - usedBytes / PAGE_BYTES) // none is left if all was used
  } catch {
    return new Problem('hashing-unavailable') // the machine has less memory than the limit
  }
  return new Problem(usedBytes > maxMemoryBytes / 2 ? 'image-too-many-pixels' : 'image-undecodable')
}

type Guard = <T>(use: () => T) => T

function opened(instance: JxlInstance, bytes: Uint8Array, limits: JxlLimits, guarded: Guard): Omit<JxlFile, 'close'> {
  const image = instance.jxlimage_new()
  instance.jxlimage_set_force_srgb(image, 1)
  const file = instance.__wbindgen_malloc(bytes.length, 1)
  new Uint8Array(instance.memory.buffer).set(bytes, file)
  const [, , isBroken] = instance.jxlimage_feedBytes(image, file, bytes.length)
  if (isBroken && !limits.isPartShown) throw new Problem('image-undecodable')
  const [isReady, , isHeaderBroken] = instance.jxlimage_tryInit(image)
  if (isHeaderBroken || !isReady) throw new Problem('image-undecodable')

  const [width, height] = [instance.jxlimage_width(image), instance.jxlimage_height(image)]
  if (width < 1 || height < 1) throw new Problem('image-undecodable')
  if (width * height > limits.maxPixels || Math.max(width, height) > limits.maxSidePx) {
    throw new Problem('image-too-many-pixels')
  }
  const isWhole = instance.jxlimage_is_loading_done(image) !== 0
  if (!isWhole && !limits.isPartShown) throw new Problem('image-undecodable')
  const loaded = instance.jxlimage_num_loaded_keyframes(image)
  const frames = isWhole ? loaded : Math.max(1, loaded) // of a file that ends early, the frames before its end
  if (frames < 1) throw new Problem('image-undecodable')
  return { width, height, frames, png: (frame) => guarded(() => pngOf(instance, image, frame)) }
}

function pngOf(instance: JxlInstance, image: number, frame: number): Uint8Array<ArrayBuffer> {
  const [rendered, , isBroken] = instance.jxlimage_render(image, frame)
  if (isBroken) throw new Problem('image-undecodable')
  const [at, bytes, , isUnsupported] = instance.renderresult_encodeToPng(rendered)
  if (isUnsupported) throw new Problem('media-unsupported') // by the source of jxl-oxide, only CMYK
  return new Uint8Array(instance.memory.buffer, at >>> 0, bytes)
}
