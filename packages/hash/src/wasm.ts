// What kernels have in common: how they are unpacked, replaced after a trap, and what they export.

/** Lends a kernel to `use`, which must not keep it. */
export type KernelLender<Kernel> = <T>(use: (kernel: Kernel) => T) => T

type CreateKernel<Kernel> = (instance: WebAssembly.Instance) => Kernel

/** @throws where WebAssembly with SIMD is missing. */
export async function loadKernel<Kernel>(base64: string, create: CreateKernel<Kernel>): Promise<KernelLender<Kernel>> {
  const { module, instance } = await WebAssembly.instantiate(bytesOf(base64))
  return kernelLender(module, instance, create)
}

/** Compiles on the spot: for worker processes and worker threads. A page should use the other. */
export function loadKernelSync<Kernel>(base64: string, create: CreateKernel<Kernel>): KernelLender<Kernel> {
  const module = new WebAssembly.Module(bytesOf(base64))
  return kernelLender(module, new WebAssembly.Instance(module), create)
}

/**
 * A trap, as when memory may not grow, leaves an instance's variables half changed: every later image could fail or be hashed
 * wrongly. So an instance that failed is overwritten, because it may hold pixels, and replaced.
 */
function kernelLender<Kernel>(
  module: WebAssembly.Module,
  first: WebAssembly.Instance,
  create: CreateKernel<Kernel>,
): KernelLender<Kernel> {
  let instance: WebAssembly.Instance | undefined = first
  let kernel = create(first)
  return (use) => {
    if (instance === undefined) {
      const fresh = new WebAssembly.Instance(module)
      kernel = create(fresh)
      instance = fresh
    }
    try {
      return use(kernel)
    } catch (error) {
      if (!isOutOfMemory(error)) throw error // what `use` threw itself: the kernel is sound
      new Uint8Array(memoryOf(instance.exports['memory']).buffer).fill(0)
      instance = undefined
      throw error
    }
  }
}

/** Whether an error of a kernel, a canvas or an array says that there was not enough memory. Sizes are checked before. */
export function isOutOfMemory(error: unknown): boolean {
  return error instanceof RangeError || error instanceof WebAssembly.RuntimeError
}

export function memoryOf(value: WebAssembly.ExportValue | undefined): WebAssembly.Memory {
  if (!(value instanceof WebAssembly.Memory)) throw new Error('the kernel has no memory')
  return value
}

export function method(value: WebAssembly.ExportValue | undefined): (...numbers: number[]) => number {
  if (typeof value !== 'function') throw new Error('the kernel lacks a function')
  return (...numbers) => value(...numbers)
}

export function address(value: WebAssembly.ExportValue | undefined): number {
  if (!(value instanceof WebAssembly.Global)) throw new Error('the kernel lacks an address')
  return value.value
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
}
