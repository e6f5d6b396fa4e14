// Instances of jxl-oxide, a decoder of JPEG XL in WebAssembly. The JavaScript in its package keeps one instance for ever, whose memory grows without
// bound and is never overwritten. So this file calls the module's exports directly, with the calling convention of wasm-bindgen.

/** The exports that are called here. Pointers are numbers. A function that can fail returns its results, then an error, then 1 if it failed. */
interface Exports {
  __wbindgen_start(): void
  __wbindgen_malloc(bytes: number, alignment: number): number
  __wbindgen_free(at: number, bytes: number, alignment: number): void
  __externref_table_alloc(): number
  jxlimage_new(): number
  jxlimage_set_force_srgb(image: number, isForced: number): void
  jxlimage_feedBytes(image: number, at: number, bytes: number): readonly [number, number, number]
  jxlimage_tryInit(image: number): readonly [number, number, number]
  jxlimage_is_loading_done(image: number): number
  jxlimage_num_loaded_keyframes(image: number): number
  jxlimage_width(image: number): number
  jxlimage_height(image: number): number
  jxlimage_render(image: number, keyframe: number): readonly [number, number, number]
  renderresult_encodeToPng(rendered: number): readonly [number, number, number, number]
}
const FUNCTIONS = [
  '__wbindgen_start',
  '__wbindgen_malloc',
  '__wbindgen_free',
  '__externref_table_alloc',
  'jxlimage_new',
  'jxlimage_set_force_srgb',
  'jxlimage_feedBytes',
  'jxlimage_tryInit',
  'jxlimage_is_loading_done',
  'jxlimage_num_loaded_keyframes',
  'jxlimage_width',
  'jxlimage_height',
  'jxlimage_render',
  'renderresult_encodeToPng',
] as const satisfies readonly (keyof Exports)[]

export interface JxlInstance extends Exports {
  readonly memory: WebAssembly.Memory
}

export const PAGE_BYTES = 65_536

/**
 * Compiles the module, once for all instances. @param wasm `jxl-oxide-wasm/module.wasm`. @throws {Error} if it is another version with another form.
 */
export function compileJxl(wasm: Uint8Array): WebAssembly.Module {
  return new WebAssembly.Module(withImportedMemory(wasm))
}

/**
 * Creates an instance with its own memory, so that nothing of one file reaches the next. Cost: 1 ms.
 * @param maxMemoryBytes bound of its memory, rounded up to pages of 64 KiB.
 * @throws {RangeError} when this machine has too little memory.
 */
export function instantiateJxl(compiled: WebAssembly.Module, maxMemoryBytes: number): JxlInstance {
  const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: Math.ceil(maxMemoryBytes / PAGE_BYTES) })
  let table: WebAssembly.Table | undefined
  let exported: Exports | undefined
  const keep = (value: unknown): number => {
    const index = exported?.__externref_table_alloc() ?? 0
    table?.set(index, value)
    return index
  }
  const functions = WebAssembly.Module.imports(compiled).filter(({ kind }) => kind === 'function')
  const imports: Record<string, WebAssembly.ImportValue> = {
    ...Object.fromEntries(functions.map(({ name }) => [name, importFor(name)])),
    [MEMORY]: memory,
  }
  const { exports } = new WebAssembly.Instance(compiled, { [IMPORTS]: imports })
  table = Object.values(exports).find((each) => each instanceof WebAssembly.Table)
  exported = checked(exports)
  exported.__wbindgen_start()
  return { ...exported, memory }

  function importFor(name: string): (value: unknown) => unknown {
    if (name.includes('init_externref_table')) return () => initialise(table)
    if (name.includes('string_new')) return () => '' // error messages are not read, because they may quote the file
    if (name.includes('static_accessor')) return () => keep({}) // it looks for the browser's name in the global object
    if (name.includes('is_undefined')) return (value: unknown) => Number(value === undefined)
    if (name.includes('instanceof')) return () => 0
    return () => {
      throw new Error(`${name} must not be called`)
    }
  }
}

/** Adds the constants that wasm-bindgen expects in its table. */
function initialise(table: WebAssembly.Table | undefined): void {
  const first = table?.grow(4) ?? 0
  table?.set(0, undefined)
  for (const [k, value] of [undefined, null, true, false].entries()) table?.set(first + k, value)
}

function checked(exports: WebAssembly.Exports): Exports {
  const missing = FUNCTIONS.filter((name) => typeof exports[name] !== 'function')
  if (missing.length > 0) throw new Error(`jxl-oxide-wasm lacks ${missing.join(', ')}`)
  return exports as unknown as Exports
}

const IMPORTS = 'wbg'
const MEMORY = 'memory'
/** The size that the module declares for its memory; checked below. */
const INITIAL_PAGES = 21
const PREAMBLE_BYTES = 8
const IMPORT_SECTION = 2
const MEMORY_SECTION = 5
const KIND_MEMORY = 2

/** Rewrites the module: its memory becomes an import, so that each instance gets a memory with a bound of its own. @throws as `compileJxl`. */
function withImportedMemory(wasm: Uint8Array): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [wasm.subarray(0, PREAMBLE_BYTES)]
  let moved = 0
  for (let at = PREAMBLE_BYTES; at < wasm.length; ) {
    const id = wasm[at]
    const length = leb(wasm, at + 1)
    const content = wasm.subarray(length.end, length.end + length.value)
    if (id === IMPORT_SECTION) {
      const count = leb(content, 0)
      const entry = [...named(IMPORTS), ...named(MEMORY), KIND_MEMORY, 0, ...lebOf(INITIAL_PAGES)]
      const body = new Uint8Array([...lebOf(count.value + 1), ...content.subarray(count.end), ...entry])
      parts.push(new Uint8Array([IMPORT_SECTION, ...lebOf(body.length)]), body)
      moved++
    } else if (id === MEMORY_SECTION) {
      if (content[0] !== 1 || leb(content, 2).value > INITIAL_PAGES)
        throw new Error('jxl-oxide-wasm declares another memory')
      moved++
    } else {
      parts.push(wasm.subarray(at, length.end + length.value))
    }
    at = length.end + length.value
  }
  if (moved !== 2) throw new Error('jxl-oxide-wasm is of an unknown form')
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  parts.reduce((at, part) => {
    joined.set(part, at)
    return at + part.length
  }, 0)
  return joined
}

function named(name: string): number[] {
  return [name.length, ...new TextEncoder().encode(name)]
}

function leb(bytes: Uint8Array, at: number): { readonly value: number; readonly end: number } {
  let value = 0
  for (let k = at, factor = 1; ; k++, factor *= 128) {
    const byte = bytes[k] ?? 0
    value += (byte & 127) * factor
    if (byte < 128) return { value, end: k + 1 }
  }
}

function lebOf(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...lebOf(value >> 7)]
}
