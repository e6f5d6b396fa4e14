// One build for every verb: kernels (AssemblyScript → WebAssembly, embedded as base64 modules), TypeScript → JavaScript, packages, the submitters' page.
// Does nothing that takes long and is already done, so `npm start` and `npm test` can afford to call it every time. It removes types and does not
// check them: that takes a minute, and `npm run typecheck` does it.
import { copyFileSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { writeOperations } from './client-operations.mjs'
import { buildFonts } from './fonts.mjs'
import { buildKernels } from './kernels.mjs'
import { bundlePackages } from './packages/build.mjs'
import { buildPage } from './page/build.mjs'
import { bundleProcesses } from './processes.mjs'

const root = dirname(fileURLToPath(import.meta.url))

/** What modules read from beside them. */
const beside = [
  'src/http/openapi/examples.json',
  'src/services/matching/details/decoration-rows.bin',
  'src/services/matching/details/background-rows.bin',
]

/** Folders with TypeScript for Node and, below `page` and `console`, for browsers. Kernels are compiled apart. */
const SOURCES = [
  'src',
  'workers',
  'page',
  'console',
  'test',
  ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}/src`),
]

await buildKernels(root)
writeOperations(join(root, 'openapi.yaml'), join(root, 'packages/client/src/operations.generated.ts'))
removeOrphans(join(root, 'dist'))
await transpile()
for (const data of beside) copyFileSync(join(root, data), join(root, 'dist', data))
await writeSyscallFilters(join(root, 'dist/workers/limits'))
await bundlePackages()
const { LANGUAGE_TAGS } = await import(pathToFileURL(join(root, 'dist/src/domain/languages.js')).href)
await buildFonts(join(root, 'page/messages'), LANGUAGE_TAGS, join(root, 'dist/fonts'))
await buildPage(join(root, 'page'), join(root, 'dist/public'))

/** One module for each source that is newer than its module, with a source map. */
async function transpile() {
  const changed = SOURCES.flatMap(sourcesIn).filter((source) => !isBuilt(source))
  if (changed.length === 0) return hasNewPackages() ? await bundleProcesses(root) : undefined
  await build({
    absWorkingDir: root,
    entryPoints: changed,
    outbase: '.',
    outdir: 'dist',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
  })
  await bundleProcesses(root)
}

/** `setpriv` reads them from files. */
async function writeSyscallFilters(folder) {
  const { FILTERED_PROCESSORS, syscallFilter } = await import(pathToFileURL(join(folder, 'syscall-filter.js')).href)
  for (const name of FILTERED_PROCESSORS) writeFileSync(join(folder, `decoder-${name}.bpf`), syscallFilter(name))
}

/** Programs contain their packages: after an update of one they are bundled again. npm writes this file at each install. */
function hasNewPackages() {
  const program = statSync(join(root, 'dist/workers/main.js')).mtimeMs
  return ['node_modules/.package-lock.json', 'processes.mjs'].some((name) => {
    const file = join(root, name)
    return existsSync(file) && statSync(file).mtimeMs > program
  })
}

function sourcesIn(folder) {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((name) => /(?<!\.d)\.tsx?$/.test(name) && !/^packages\/.+\/kernel\//.test(name))
}

function isBuilt(source) {
  const module = join(root, 'dist', source.replace(/\.tsx?$/, '.js'))
  return existsSync(module) && statSync(module).mtimeMs >= statSync(join(root, source)).mtimeMs
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
