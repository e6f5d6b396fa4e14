// Builds each package: one module, and the types of its entry point. The module includes the code that the package shares with the service,
// such as the search of @tabir/feed, so it works without the service.
//   node ../build.mjs    in the folder of a package, before `npm pack`

import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { writeOperations } from '../client-operations.mjs'
import { buildKernels } from '../kernels.mjs'

const packages = dirname(fileURLToPath(import.meta.url))
const root = join(packages, '..')

const ENTRIES = { hash: 'src/hash-image.ts', client: 'src/tabir-client.ts', feed: 'src/follow.ts' }

/** Writes `dist/index.js` of each package, if it changed. Kernels and operations must have been built before. Cost: about 0.1 s. */
export async function bundlePackages() {
  const { outputFiles } = await build({
    entryPoints: Object.entries(ENTRIES).map(([name, entry]) => ({
      in: join(packages, name, entry),
      out: `${name}/dist/index`,
    })),
    outdir: packages,
    bundle: true,
    external: ['@tabir/*', 'zod', 'node:*'],
    platform: 'neutral',
    format: 'esm',
    target: 'es2022',
    logLevel: 'warning',
    write: false,
  })
  for (const { path, text } of outputFiles) {
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
}

/** Writes the declarations that the entry point needs to `dist/types`. Does not check types: the build does. */
async function writeTypes(name) {
  const { default: ts } = await import('typescript') // loaded only here, because loading it takes longer than the bundles
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const entry = join(packages, name, ENTRIES[name])
  const program = ts.createProgram([entry], {
    ...options,
    outDir: root,
    declaration: true,
    incremental: false,
    noCheck: true,
  })
  const declarations = new Map()
  const { diagnostics } = program.emit(undefined, (path, text) => declarations.set(path, text), undefined, true)
  if (diagnostics.length > 0) throw new Error(ts.formatDiagnostics(diagnostics, ts.createCompilerHost(options)))
  const target = join(packages, name, 'dist/types')
  rmSync(target, { recursive: true, force: true })
  for (const path of reachedFrom(entry.replace(/\.ts$/, '.d.ts'), declarations)) {
    const file = join(target, relative(root, path))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, declarations.get(path))
  }
}

/** @returns paths of declarations: the first one, and all that it imports, directly or not. */
function reachedFrom(first, declarations) {
  const reached = new Set([first])
  for (const path of reached) {
    const imports = declarations.get(path).matchAll(/(?:from |import\()['"](\.[^'"]+)\.js['"]/g)
    for (const [, specifier] of imports) reached.add(join(dirname(path), `${specifier}.d.ts`))
  }
  return reached
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const name = basename(process.cwd())
  await buildKernels(root)
  writeOperations(join(root, 'openapi.yaml'), join(packages, 'client/src/operations.generated.ts'))
  await bundlePackages()
  await writeTypes(name)
  for (const file of ['LICENSE', 'NOTICE']) copyFileSync(join(root, file), join(packages, name, file))
}
