import type { Test } from 'tap'

/** Loads a kernel and returns its memory too, which kernels keep private. */
export function withMemory<Kernel>(
  t: Test,
  load: () => Kernel,
): { readonly kernel: Kernel; readonly memory: WebAssembly.Memory } {
  const instances: WebAssembly.Instance[] = []
  const { Instance } = WebAssembly
  t.teardown(() => {
    WebAssembly.Instance = Instance
  })
  WebAssembly.Instance = class extends Instance {
    constructor(module: WebAssembly.Module) {
      super(module)
      instances.push(this)
    }
  }
  const kernel = load()
  const { memory } = instances[0]?.exports ?? {}
  if (!(memory instanceof WebAssembly.Memory)) throw new Error('the kernel exports its memory')
  return { kernel, memory }
}
