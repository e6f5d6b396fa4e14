// Loads WebAssembly kernels, replaces them after a trap, and reads their exports.

/** Lends a kernel to `use`, which must not keep it. */
export type KernelLender<Kernel> = <T>(use: (kernel: Kernel) => T) => T

type CreateKernel<Kernel> = (instance: WebAssembly.Instance) => Kernel

/**
 * Compiles a kernel, asynchronously.
 * @param create wraps the exports of an instance.
 * @throws if WebAssembly with SIMD is not supported.
 */
export async function loadKernel<Kernel>(base64: string, create: CreateKernel<Kernel>): Promise<KernelLender<Kernel>> {
  const { module, instance } = await WebAssembly.instantiate(bytesOf(base64))
  return kernelLender(module, instance, create)
}

/** Compiles synchronously: for worker processes and worker threads. A page should use `loadKernel`. @throws as it does. */
export function loadKernelSync<Kernel>(base64: string, create: CreateKernel<Kernel>): KernelLender<Kernel> {
  const module = new WebAssembly.Module(bytesOf(base64))
  return kernelLender(module, new WebAssembly.Instance(module), create)
}

/**
 * Replaces the instance after a trap, for example when its memory cannot grow. A trap may leave variables inconsistent, so that later pictures would
 * fail or get wrong hashes. The failed instance's memory is wiped first, because it may contain pixels.
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
      if (!isOutOfMemory(error)) throw error // thrown by `use` itself: the kernel is intact
      new Uint8Array(memoryOf(instance.exports['memory']).buffer).fill(0)
      instance = undefined
      throw error
    }
  }
}

/**
 * @returns whether an error may mean that memory ran out. Check sizes first: kernels, canvases and arrays throw the same errors for impossible sizes.
 */
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
