// What kernels have in common: how they are unpacked, and what they export.

/** @throws where WebAssembly with SIMD is missing. */
export async function instanceOf(base64: string): Promise<WebAssembly.Instance> {
  const { instance } = await WebAssembly.instantiate(bytesOf(base64))
  return instance
}

/** For workers, who have nothing else to do meanwhile; a page should take the other. */
export function instanceOfSync(base64: string): WebAssembly.Instance {
  return new WebAssembly.Instance(new WebAssembly.Module(bytesOf(base64)))
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
