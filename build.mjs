// One build for every verb: kernels (AssemblyScript → WebAssembly, embedded as base64 modules), tsc, then the submitter's page.
// Does nothing that takes long and is already done, so `npm start` and `npm test` can afford to call it every time.
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeOperations } from './client-operations.mjs'
import { buildPage } from './page/build.mjs'

const root = dirname(fileURLToPath(import.meta.url))

/** Flags beyond the common ones, per kernel. None of them may allow the compiler to reorder float32 arithmetic. */
const kernels = {
  'src/hash/kernel/pdq.ts': ['--runtime', 'stub'],
  'src/hash/kernel/frame.ts': ['--runtime', 'stub'],
  'src/hash/kernel/details.ts': ['--runtime', 'stub'],
  'src/store/kernel/gcm.ts': ['--runtime', 'stub'],
  'src/search/kernel/engine.ts': ['--runtime', 'stub', '--importMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
}

/** What modules read from beside them. */
const beside = ['src/http/examples.json', 'src/services/decoration-rows.bin', 'src/services/background-rows.bin']

for (const [source, flags] of Object.entries(kernels)) buildKernel(join(root, source), flags)
writeOperations(join(root, 'openapi.yaml'), join(root, 'src/client/operations.generated.ts'))
removeOrphans(join(root, 'dist'))
const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', root], { stdio: 'inherit' })
if (tsc.status !== 0) process.exit(tsc.status ?? 1)
for (const data of beside) copyFileSync(join(root, data), join(root, 'dist', data))
await buildPage(join(root, 'page'), join(root, 'dist/public'))

function buildKernel(source, flags) {
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
      `// Generated from kernel/${basename(source)} by build.mjs.\nexport const wasmBase64 = '${text}'\n`,
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A test or module that was deleted must not live on in dist/ and be run. */
function removeOrphans(folder) {
  if (!existsSync(folder)) return
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.parentPath.startsWith(join(folder, 'public'))) continue // the page's, which buildPage makes anew
    if (!entry.isFile() || !/\.js(\.map)?$/.test(entry.name)) continue
    const path = join(entry.parentPath, entry.name)
    const source = join(root, path.slice(folder.length).replace(/\.js(\.map)?$/, '.ts'))
    if (!existsSync(source) && !existsSync(`${source}x`)) rmSync(path)
  }
}
