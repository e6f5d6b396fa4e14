// One build for every verb: kernels (AssemblyScript → WebAssembly, embedded as base64 modules), tsc, then the submitter's page.
// Does nothing that takes long and is already done, so `npm start` and `npm test` can afford to call it every time.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeOperations } from './client-operations.mjs'
import { buildKernels } from './kernels.mjs'
import { bundlePackages } from './packages/build.mjs'
import { buildPage } from './page/build.mjs'

const root = dirname(fileURLToPath(import.meta.url))

/** What modules read from beside them. */
const beside = [
  'src/http/openapi/examples.json',
  'src/services/matching/decoration-rows.bin',
  'src/services/matching/background-rows.bin',
]

buildKernels(root)
writeOperations(join(root, 'openapi.yaml'), join(root, 'packages/client/src/operations.generated.ts'))
removeOrphans(join(root, 'dist'))
const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', root], { stdio: 'inherit' })
if (tsc.status !== 0) process.exit(tsc.status ?? 1)
for (const data of beside) copyFileSync(join(root, data), join(root, 'dist', data))
await bundlePackages()
await buildPage(join(root, 'page'), join(root, 'dist/public'))

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
