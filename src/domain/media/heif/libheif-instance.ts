// An instance of libheif in WebAssembly whose memory is bounded and can be reset to its initial state.

import { Problem } from '../../problem.js'

/** What the CommonJS module `libheif-js/libheif-wasm/libheif.js` exports. */
export type LibHeifFactory = (options: {
  readonly instantiateWasm: (
    imports: WebAssembly.Imports,
    receive: (instance: WebAssembly.Instance) => void,
  ) => WebAssembly.Exports
  readonly print: (line: string) => void
  readonly printErr: (line: string) => void
}) => LibHeif

/** The functions of libheif's C interface that are called here. Pointers are numbers; `error` points to a `heif_error`. */
export interface LibHeif {
  /** Replaced when the memory grows. */
  readonly HEAPU8: Uint8Array
  _malloc(bytes: number): number
  _heif_context_alloc(): number
  _heif_context_get_security_limits(context: number): number
  _heif_context_read_from_memory_without_copy(
    error: number,
    context: number,
    file: number,
    bytes: number,
    options: number,
  ): void
  _heif_context_get_primary_image_handle(error: number, context: number, handle: number): void
  _heif_image_handle_get_item_id(handle: number): number
  _heif_item_get_item_type(context: number, item: number): number
  _heif_image_handle_get_width(handle: number): number
  _heif_image_handle_get_height(handle: number): number
  _heif_image_handle_has_alpha_channel(handle: number): number
  _heif_image_handle_is_premultiplied_alpha(handle: number): number
  _heif_image_handle_get_raw_color_profile_size(handle: number): number
  _heif_image_handle_get_raw_color_profile(error: number, handle: number, profile: number): void
  _heif_image_handle_get_nclx_color_profile(error: number, handle: number, colours: number): void
  _heif_decoding_options_alloc(): number
  _heif_decode_image(error: number, handle: number, image: number, space: number, chroma: number, options: number): void
  _heif_image_get_width(image: number, channel: number): number
  _heif_image_get_height(image: number, channel: number): number
  _heif_image_get_plane_readonly(image: number, channel: number, stride: number): number
}

export interface LibHeifInstance {
  readonly lib: LibHeif
  maxMemoryBytes: number
  /** Why memory was last refused, if it was. `limit`: beyond `maxMemoryBytes`. `machine`: this machine has no more. */
  refusal: 'limit' | 'machine' | undefined
  /** Overwrites all memory with its initial state. */
  reset(): void
}

/** @throws {Problem} `hashing-unavailable` if there is too little memory for an instance. */
export function instantiate(factory: LibHeifFactory, compiled: WebAssembly.Module): LibHeifInstance {
  let memory: WebAssembly.Memory | undefined
  const lib = withoutMemory(() =>
    factory({
      instantiateWasm: (imports, receive) => {
        const instance = new WebAssembly.Instance(compiled, imports)
        memory = Object.values(instance.exports).find((each) => each instanceof WebAssembly.Memory)
        receive(instance)
        return instance.exports
      },
      print: () => {},
      printErr: () => {}, // libheif's messages may quote the file
    }),
  )
  if (memory === undefined) throw new Error('libheif has no memory')
  const initial = withoutZerosBehind(lib.HEAPU8)
  const instance: LibHeifInstance = {
    lib,
    maxMemoryBytes: 0,
    refusal: undefined,
    reset: () => {
      lib.HEAPU8.fill(0)
      lib.HEAPU8.set(initial)
    },
  }
  // The module itself allows 2 GiB. When a C function asks for memory, libheif's JavaScript calls `grow`, and treats an exception as a refusal.
  const grow = memory.grow.bind(memory)
  memory.grow = (pages) => {
    instance.refusal = lib.HEAPU8.length + pages * PAGE_BYTES > instance.maxMemoryBytes ? 'limit' : 'machine'
    if (instance.refusal === 'limit') throw new RangeError('the decoder may not have more memory')
    const before = grow(pages)
    instance.refusal = undefined
    return before
  }
  return instance
}

const PAGE_BYTES = 65_536

/** Copies the heap without its trailing zeros. Loops over words, because `findLastIndex` over 16 million bytes takes 0.13 s. */
function withoutZerosBehind(heap: Uint8Array): Uint8Array {
  const words = new Uint32Array(heap.buffer, 0, heap.length / 4)
  let used = words.length
  while (used > 0 && words[used - 1] === 0) used--
  return heap.slice(0, 4 * used)
}

function withoutMemory<T>(create: () => T): T {
  try {
    return create()
  } catch {
    throw new Problem('hashing-unavailable')
  }
}
