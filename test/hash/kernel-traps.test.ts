// A failed memory growth for one image must not spoil later ones.

import assert from 'node:assert/strict'
import t, { type Test } from 'tap'
import { loadDetailsKernelSync } from '../../packages/hash/src/details-kernel.js'
import { loadFrameKernelSync } from '../../packages/hash/src/frame-kernel.js'
import { loadPdqKernelSync } from '../../packages/hash/src/pdq-kernel.js'
import type { Pixels } from '../../packages/hash/src/pixels.js'
import { isOutOfMemory } from '../../packages/hash/src/wasm.js'
import { noisy } from './synthetic.js'

const MEMORY_SECTION = 5

t.test('a kernel that runs out of memory for one image hashes the next one correctly', async (t) => {
  const small = noisy(1, 200, 200, 3)
  const tiny = noisy(2, 40, 40, 3)
  const frames = withLimit(t, 60, loadFrameKernelSync)
  const corners = (pixels: typeof small) => frames.measure(pixels, ({ rgb, areas }) => [rgb.slice(), areas.sums.slice()])
  const pdq = withLimit(t, 60, loadPdqKernelSync)
  const details = withLimit(t, 200, loadDetailsKernelSync)
  const kernels = {
    frame: { hash: corners, large: flat(640, 640) },
    pdq: { hash: (pixels: typeof small) => pdq.hash(pixels), large: flat(60_000, 300) },
    details: {
      hash: (pixels: typeof small) =>
        details.usePyramid(pixels, 64, (pyramid) =>
          pyramid.corners(0, { left: 0, top: 0, right: pixels.width, bottom: pixels.height }, 64, 64),
        ),
      large: flat(4000, 1000),
    },
  }
  for (const [name, { hash, large }] of Object.entries(kernels)) {
    const before = hash(small)
    for (let time = 0; time < 2; time++) {
      assert.throws(() => hash(large), isOutOfMemory, `${name}: the large image is refused memory`)
      assert.deepEqual(hash(small), before, `${name}: the same result after a trap`)
      hash(tiny)
    }
  }
})

t.test('a kernel’s image data is overwritten after a trap', async (t) => {
  const memories: WebAssembly.Memory[] = []
  const pdq = withLimit(t, 60, loadPdqKernelSync, memories)
  const small = noisy(4, 200, 200, 3)
  pdq.hash(small)
  assert.throws(() => pdq.hash(flat(60_000, 300)), isOutOfMemory)
  pdq.hash(small)
  const [trapped, fresh] = memories
  assert.ok(trapped !== undefined && fresh !== undefined && memories.length === 2, 'one instance was replaced once')
  assert.ok(
    new Uint8Array(trapped.buffer).every((byte) => byte === 0),
    'zeros',
  )
})

t.test('a kernel that failed to load is loaded at the next call', async (t) => {
  const small = noisy(5, 200, 200, 3)
  // A module of its own: other tests of this process may have loaded the kernels already.
  const path = new URL('../../packages/hash/src/hash-image.js?unloaded', import.meta.url).href
  const { hashImage, detailsOf }: typeof import('../../packages/hash/src/hash-image.js') = await import(path)
  for (const hash of [hashImage, detailsOf]) {
    const failing = t.capture(WebAssembly, 'instantiate', () => Promise.reject(new RangeError('out of memory')))
    await t.rejects(Promise.resolve(hash(small)), RangeError)
    failing.restore()
    await t.resolves(Promise.resolve(hash(small)))
  }
})

function flat(width: number, height: number): Pixels {
  return { data: new Uint8Array(width * height).fill(119), width, height, channels: 1 }
}

/** Loads a kernel whose memory may have at most `maxPages` pages of 64 KiB; lists the memories of its instances. */
function withLimit<Kernel>(t: Test, maxPages: number, load: () => Kernel, memories: WebAssembly.Memory[] = []): Kernel {
  const { Module, Instance } = WebAssembly
  WebAssembly.Module = class extends Module {
    constructor(bytes: BufferSource) {
      assert.ok(bytes instanceof Uint8Array)
      super(limited(bytes, maxPages))
    }
  }
  WebAssembly.Instance = class extends Instance {
    constructor(module: WebAssembly.Module) {
      super(module)
      const { memory } = this.exports
      if (memory instanceof WebAssembly.Memory) memories.push(memory)
    }
  }
  t.teardown(() => {
    WebAssembly.Instance = Instance
  })
  try {
    return load()
  } finally {
    WebAssembly.Module = Module
  }
}

/** The same module with a maximum in its memory section. */
function limited(module: Uint8Array, maxPages: number): Uint8Array<ArrayBuffer> {
  for (let at = 8; at < module.length; ) {
    const { value: length, next } = leb(module, at + 1)
    if (module[at] === MEMORY_SECTION) {
      const minPages = leb(module, next + 2).value
      const body = [1, 1, ...lebOf(minPages), ...lebOf(maxPages)]
      const section = [MEMORY_SECTION, ...lebOf(body.length), ...body]
      return Uint8Array.from([...module.subarray(0, at), ...section, ...module.subarray(next + length)])
    }
    at = next + length
  }
  throw new Error('the module has a memory section')
}

function leb(bytes: Uint8Array, at: number): { readonly value: number; readonly next: number } {
  let value = 0
  for (let shift = 0, next = at; ; shift += 7) {
    const byte = bytes[next++] ?? 0
    value |= (byte & 127) << shift
    if (byte < 128) return { value, next }
  }
}

function lebOf(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...lebOf(value >> 7)]
}
