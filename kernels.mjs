// Kernels: AssemblyScript → WebAssembly, embedded as base64 in modules beside their folder.

import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** Flags beyond the common ones, per kernel. None of them may allow the compiler to reorder float32 arithmetic. */
const kernels = {
  'packages/hash/src/kernel/pdq.ts': ['--runtime', 'stub'],
  'packages/hash/src/kernel/frame.ts': ['--runtime', 'stub'],
  'packages/hash/src/kernel/details.ts': ['--runtime', 'stub'],
  'packages/core/src/search/kernel/engine.ts': [
    '--runtime',
    'stub',
    '--importMemory',
    '--initialMemory',
    '1',
    '--maximumMemory',
    '65536',
  ],
}

const common = ['-O3', '--noAssert', '--converge', '--enable', 'simd', '--enable', 'bulk-memory']

/** What the compiler is told about a kernel. */
export function flagsOf(source) {
  return [...common, ...kernels[source]]
}

/** The module that a kernel is embedded in. */
export function embedded(source, wasm) {
  return `// Generated from kernel/${basename(source)} by kernels.mjs.\nexport const wasmBase64 = '${Buffer.from(wasm).toString('base64')}'\n`
}

/** Compiles those that changed, all at once. A copy of the tree may lack some: they are left out. */
export async function buildKernels(root) {
  await Promise.all(Object.keys(kernels).map((source) => buildKernel(root, join(root, source), flagsOf(source))))
}

/** The compiler remarks on its own work ("Last converge was suboptimal."): only what it says of a failure is of use to who builds. */
async function compile(args) {
  try {
    await promisify(execFile)(process.execPath, args)
  } catch ({ stdout, stderr }) {
    process.stderr.write(`${stdout}${stderr}`)
    throw new Error('a kernel cannot be compiled')
  }
}

async function buildKernel(root, source, flags) {
  if (!existsSync(source)) return
  const generated = join(dirname(source), '..', `${basename(source, '.ts')}.generated.ts`)
  const inputs = readdirSync(dirname(source)).map((name) => join(dirname(source), name))
  inputs.push(fileURLToPath(import.meta.url))
  if (existsSync(generated) && inputs.every((input) => statSync(input).mtimeMs <= statSync(generated).mtimeMs)) return
  const folder = mkdtempSync(join(tmpdir(), 'tabir-build-'))
  const wasm = join(folder, 'kernel.wasm')
  try {
    await compile([join(root, 'node_modules/assemblyscript/bin/asc.js'), source, ...flags, '-o', wasm])
    writeFileSync(generated, embedded(source, readFileSync(wasm)))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
