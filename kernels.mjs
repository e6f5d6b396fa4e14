// Kernels: AssemblyScript → WebAssembly, embedded as base64 in modules beside their folder.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Flags beyond the common ones, per kernel. None of them may allow the compiler to reorder float32 arithmetic. */
const kernels = {
  'src/hash/kernel/pdq.ts': ['--runtime', 'stub'],
  'src/hash/kernel/frame.ts': ['--runtime', 'stub'],
  'src/hash/kernel/details.ts': ['--runtime', 'stub'],
  'src/store/kernel/gcm.ts': ['--runtime', 'stub'],
  'src/search/kernel/engine.ts': ['--runtime', 'stub', '--importMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
}

/** Compiles those that changed. A copy of the tree may lack some: they are left out. */
export function buildKernels(root) {
  for (const [source, flags] of Object.entries(kernels)) buildKernel(root, join(root, source), flags)
}

function buildKernel(root, source, flags) {
  if (!existsSync(source)) return
  const generated = join(dirname(source), '..', `${basename(source, '.ts')}.generated.ts`)
  const inputs = readdirSync(dirname(source)).map((name) => join(dirname(source), name))
  inputs.push(fileURLToPath(import.meta.url))
  if (existsSync(generated) && inputs.every((input) => statSync(input).mtimeMs <= statSync(generated).mtimeMs)) return
  const folder = mkdtempSync(join(tmpdir(), 'tabir-build-'))
  const wasm = join(folder, 'kernel.wasm')
  try {
    const common = ['-O3', '--noAssert', '--converge', '--enable', 'simd', '--enable', 'bulk-memory', '-o', wasm]
    execFileSync(process.execPath, [join(root, 'node_modules/assemblyscript/bin/asc.js'), source, ...common, ...flags], {
      stdio: 'inherit',
    })
    const text = readFileSync(wasm).toString('base64')
    writeFileSync(
      generated,
      `// Generated from kernel/${basename(source)} by kernels.mjs.\nexport const wasmBase64 = '${text}'\n`,
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
