// Reads the primary image of a HEIF file whose images are HEVC (HEIC), with libheif compiled to WebAssembly. Workers and browsers both use it.

import { Problem } from '../../problem.js'
import type { PicturePart } from './heif-aperture.js'
import { instantiate, type LibHeif, type LibHeifFactory, type LibHeifInstance } from './libheif-instance.js'

/** One picture of a file, as viewers show it: `irot`, `imir` and `clap` are applied. So ignore the orientation in its EXIF. */
export interface HeifPicture {
  /** Rows without padding, 8 bits a channel. In the decoder's memory: valid until `use` settles, then overwritten. */
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
  /** Red, green, blue; with 4 also alpha, not premultiplied. */
  readonly channels: 3 | 4
  /** The ICC profile of a `colr` box. libheif does not apply it. */
  readonly profile: Uint8Array | undefined
  /**
   * Code points of ITU-T H.273. libheif converts matrix and range, but not primaries and transfer. If there is a profile, it takes precedence.
   */
  readonly colours: { readonly primaries: number; readonly transfer: number } | undefined
}

export interface HeifLimits {
  readonly maxPixels: number
  readonly maxSidePx: number
  /** For all memory of the decoder, including the file and the picture. */
  readonly maxMemoryBytes: number
  /** Decode a grid even if some tiles are missing or damaged, as viewers do. Those tiles are green. */
  readonly allowsMissingTiles?: boolean
  /** Show only this part of the picture. */
  readonly part?: PicturePart | undefined
}

export interface HeifReader {
  /**
   * Decodes the primary image and calls `use` with it. Calls run one after the other. All memory of the decoder is overwritten afterwards, also
   * after an error. The caller overwrites `bytes`.
   *
   * Cost: 0.5 s for 12 megapixels in 48 tiles, and 57 MB; the first picture of a process takes 0.4 s more, while the module is compiled.
   *
   * @throws {Problem} `image-undecodable` for a damaged file; `media-unsupported` when the primary image is not HEVC (AV1, JPEG, VVC and
   *   uncompressed images in HEIF: this build of libheif lacks these codecs); `image-too-many-pixels` when the picture, or what decoding it
   *   needs, exceeds a limit; `hashing-unavailable` when this machine has too little memory. And what `use` throws.
   */
  read<T>(bytes: Uint8Array, limits: HeifLimits, use: (picture: HeifPicture) => T | Promise<T>): Promise<T>
}

/**
 * Keeps one instance of the module, and resets its memory to the initial state after each picture. So nothing of one file reaches the next, even if
 * it exploits a bug of the decoder.
 * @param compiled `libheif-js/libheif-wasm/libheif.wasm`.
 */
export function createHeifReader(factory: LibHeifFactory, compiled: WebAssembly.Module): HeifReader {
  let idle: LibHeifInstance | undefined
  let queue: Promise<unknown> = Promise.resolve()
  return {
    read(bytes, limits, use) {
      const read = async () => {
        const instance = idle ?? instantiate(factory, compiled)
        idle = undefined
        let isIntact = true
        try {
          return await use(
            pictureIn(instance, bytes, limits, () => {
              isIntact = false
            }),
          )
        } finally {
          instance.reset()
          if (isIntact && instance.lib.HEAPU8.length <= KEPT_BYTES) idle = instance
        }
      }
      const result = queue.then(read)
      queue = result.catch(() => {})
      return result
    },
  }
}

/** An instance with more memory is dropped after use, so that a process does not keep the memory of its largest picture. */
const KEPT_BYTES = 64 << 20

// Constants of libheif.h.
const RGB = 1
const INTERLEAVED_RGB = 10
const INTERLEAVED_RGBA = 11
const INTERLEAVED = 10
const UNSUPPORTED_FILE_TYPE = 3
const UNSUPPORTED_FEATURE = 4
const MEMORY_ERROR = 6
const SECURITY_LIMIT_EXCEEDED = 1000
// Offsets in its structures, in bytes.
const MAX_PIXELS_AT = 8 // in heif_security_limits, 64 bits
const CONVERT_TO_8_BITS_AT = 20 // in heif_decoding_options
const STRICT_AT = 21
const PRIMARIES_AT = 4 // in heif_color_profile_nclx, 32 bits
const TRANSFER_AT = 8

/** Item types that are decoded: HEVC, and those composed of other items. libheif refuses a composition of items that are not HEVC. */
const READ_ITEMS = ['hvc1', 'grid', 'iovl', 'iden']

/** Frees no memory of libheif; `reset` does. @param onBroken called when the instance must not be used again. */
function pictureIn(instance: LibHeifInstance, bytes: Uint8Array, limits: HeifLimits, onBroken: () => void): HeifPicture {
  instance.maxMemoryBytes = limits.maxMemoryBytes
  instance.refusal = undefined
  try {
    return decoded(instance.lib, bytes, limits)
  } catch (error) {
    const isProblem = error instanceof Problem
    if (!isProblem) onBroken() // a trap, or an uncaught C++ exception
    // When memory was refused, libheif may fail with any error. A file that exceeds the limit decodes to more pixels than its header declares.
    if (instance.refusal === 'limit') throw new Problem('image-too-many-pixels')
    if (instance.refusal === 'machine') throw new Problem('hashing-unavailable')
    throw isProblem ? error : new Problem('image-undecodable')
  }
}

/** Brands of HEIF. A file of another kind, such as a video, may list one, too: it then contains images. */
const HEIF_BRANDS = /he[iv][cxms]|m[is]f[1-3]/
const BRANDS_AT = 8
const MAX_BRANDS_BYTES = 256

function checkBrands(bytes: Uint8Array): void {
  const boxBytes = bytes.length < BRANDS_AT ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
  const brands = bytes.subarray(BRANDS_AT, Math.min(boxBytes, MAX_BRANDS_BYTES))
  if (!HEIF_BRANDS.test(String.fromCharCode(...brands))) throw new Problem('media-unsupported')
}

function decoded(
  lib: LibHeif,
  bytes: Uint8Array,
  { maxPixels, maxSidePx, allowsMissingTiles = false, part }: HeifLimits,
): HeifPicture {
  checkBrands(bytes)
  const { allocate, call, word } = caller(lib)
  const file = allocate(bytes.length)
  lib.HEAPU8.set(bytes, file)
  const context = lib._heif_context_alloc()
  const securityLimits = lib._heif_context_get_security_limits(context)
  new DataView(lib.HEAPU8.buffer).setBigUint64(securityLimits + MAX_PIXELS_AT, BigInt(maxPixels), true)
  call((error) => lib._heif_context_read_from_memory_without_copy(error, context, file, bytes.length, 0))
  const handle = call((error, out) => lib._heif_context_get_primary_image_handle(error, context, out))
  const kind = fourCharacters(lib._heif_item_get_item_type(context, lib._heif_image_handle_get_item_id(handle)))
  if (!READ_ITEMS.includes(kind)) throw new Problem('media-unsupported')
  checkSize(lib._heif_image_handle_get_width(handle), lib._heif_image_handle_get_height(handle))

  const channels = lib._heif_image_handle_has_alpha_channel(handle) === 0 ? 3 : 4
  const options = lib._heif_decoding_options_alloc()
  lib.HEAPU8[options + CONVERT_TO_8_BITS_AT] = 1
  lib.HEAPU8[options + STRICT_AT] = allowsMissingTiles ? 0 : 1
  const chroma = channels === 3 ? INTERLEAVED_RGB : INTERLEAVED_RGBA
  const image = call((error, out) => lib._heif_decode_image(error, handle, out, RGB, chroma, options))
  const [width, height] = [lib._heif_image_get_width(image, INTERLEAVED), lib._heif_image_get_height(image, INTERLEAVED)]
  checkSize(width, height)
  const out = allocate(4)
  const plane = lib._heif_image_get_plane_readonly(image, INTERLEAVED, out)
  const data = packed(lib, { plane, stride: word(out), rowBytes: width * channels, height })
  if (channels === 4 && lib._heif_image_handle_is_premultiplied_alpha(handle) !== 0) divideByAlpha(data)
  return { ...partOf({ data, width, height, channels }, part), ...colourOf(lib, handle) }

  function checkSize(width: number, height: number): void {
    if (width < 1 || height < 1) throw new Problem('image-undecodable')
    if (width * height > maxPixels || Math.max(width, height) > maxSidePx) throw new Problem('image-too-many-pixels')
  }
}

function caller(lib: LibHeif) {
  const word = (at: number): number => new DataView(lib.HEAPU8.buffer).getUint32(at, true)
  const allocate = (bytes: number): number => {
    const at = lib._malloc(bytes)
    if (at === 0) throw new Problem('image-too-many-pixels')
    return at
  }
  const error = allocate(12)
  const out = allocate(4)
  return {
    word,
    allocate,
    /** Calls a function that returns a `heif_error`. @returns the pointer that it writes. */
    call: (use: (error: number, out: number) => void): number => {
      use(error, out)
      const [code, detail] = [word(error), word(error + 4)]
      if (code === 0) return word(out)
      if (code === MEMORY_ERROR || detail === SECURITY_LIMIT_EXCEEDED) throw new Problem('image-too-many-pixels')
      const isUnsupported = code === UNSUPPORTED_FILE_TYPE || code === UNSUPPORTED_FEATURE
      throw new Problem(isUnsupported ? 'media-unsupported' : 'image-undecodable')
    },
  }
}

interface Plane {
  readonly plane: number
  readonly stride: number
  readonly rowBytes: number
  readonly height: number
}

/** Removes libheif's padding between rows, in place. */
function packed({ HEAPU8 }: LibHeif, { plane, stride, rowBytes, height }: Plane): Uint8Array {
  if (plane === 0 || stride < rowBytes || plane + stride * height > HEAPU8.length) throw new Problem('image-undecodable')
  if (stride > rowBytes) {
    for (let y = 1; y < height; y++) {
      HEAPU8.copyWithin(plane + y * rowBytes, plane + y * stride, plane + y * stride + rowBytes)
    }
  }
  return HEAPU8.subarray(plane, plane + rowBytes * height)
}

type Pixels = Pick<HeifPicture, 'data' | 'width' | 'height' | 'channels'>

/** Moves a part of a picture to its beginning, without gaps. @throws {Problem} `image-undecodable` if the picture has another size than declared. */
function partOf(picture: Pixels, part: PicturePart | undefined): Pixels {
  const { data, channels } = picture
  if (part === undefined) return picture
  const { left, top, width, height, of } = part
  if (of.width !== picture.width || of.height !== picture.height) throw new Problem('image-undecodable')
  const rowBytes = width * channels
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * of.width + left) * channels
    data.copyWithin(y * rowBytes, from, from + rowBytes)
  }
  return { data: data.subarray(0, rowBytes * height), width, height, channels }
}

/** Converts premultiplied colours to plain ones, in place. @param full alpha of an opaque pixel: 255, or 65,535 for 16 bits. */
export function divideByAlpha(rgba: Uint8Array | Uint16Array, full = 255): void {
  for (let at = 0; at < rgba.length; at += 4) {
    const alpha = rgba[at + 3] ?? 0
    if (alpha === 0 || alpha === full) continue
    for (let k = at; k < at + 3; k++) rgba[k] = Math.min(full, Math.round(((rgba[k] ?? 0) * full) / alpha))
  }
}

/** If the profile or code points cannot be read, treats them as absent, as viewers do. */
function colourOf(lib: LibHeif, handle: number): Pick<HeifPicture, 'profile' | 'colours'> {
  const { allocate, call, word } = caller(lib)
  try {
    const profileBytes = lib._heif_image_handle_get_raw_color_profile_size(handle)
    if (profileBytes > 0) {
      const profile = allocate(profileBytes)
      call((error) => lib._heif_image_handle_get_raw_color_profile(error, handle, profile))
      return { profile: lib.HEAPU8.slice(profile, profile + profileBytes), colours: undefined }
    }
    const nclx = call((error, out) => lib._heif_image_handle_get_nclx_color_profile(error, handle, out))
    const colours = { primaries: word(nclx + PRIMARIES_AT), transfer: word(nclx + TRANSFER_AT) }
    return { profile: undefined, colours }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { profile: undefined, colours: undefined }
  }
}

function fourCharacters(code: number): string {
  return String.fromCharCode((code >>> 24) & 255, (code >>> 16) & 255, (code >>> 8) & 255, code & 255)
}
