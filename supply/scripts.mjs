// Checks names in scripts (*.mjs): imports, variables, properties and numbers of arguments that do not exist. `npm run typecheck` runs it. It needs
// no build: where a script imports a module from dist/, this reads the source of the module.
//
// It reports no other type errors. Most of those are literals that TypeScript widens, and scripts have no types to prevent it. A parameter without a
// JSDoc type is `any`: its properties are not checked.

import { readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const dist = join(root, 'dist', '/')
const FOLDERS = ['bench', 'console', 'examples', 'fuzz', 'page', 'supply']
const REPORTED = new Set([
  2304, // cannot find name
  2305, // no such export
  2307, // no such module
  2339, // no such property
  2353, // no such property in the type that is expected
  2551, // no such property, did you mean …?
  2552, // cannot find name, did you mean …?
  2554, // wrong number of arguments
  2561, // no such property in the type that is expected, did you mean …?
  2724, // no such export, did you mean …?
])

const scripts = [
  ...FOLDERS.flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name))),
  ...readdirSync(root),
  ...readdirSync(join(root, 'packages')).map((name) => join('packages', name)),
]
  .filter((name) => name.endsWith('.mjs'))
  .map((name) => join(root, name))

const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
const { options } = ts.parseJsonConfigFileContent(
  {
    compilerOptions: {
      ...config.compilerOptions,
      allowJs: true,
      checkJs: true,
      noEmit: true,
      incremental: false,
      strict: false,
      noUncheckedIndexedAccess: false,
      exactOptionalPropertyTypes: false,
      erasableSyntaxOnly: false,
      paths: {
        ...config.compilerOptions.paths,
        '@tabir/client': ['./packages/client/src/tabir-client.ts'],
        '@tabir/feed': ['./packages/feed/src/follow.ts'],
      },
    },
    files: scripts,
  },
  ts.sys,
  root,
)
const host = ts.createCompilerHost(options)
host.resolveModuleNameLiterals = (literals, from, redirect, settings, file) =>
  literals.map((literal) => {
    const path = resolve(dirname(from), literal.text)
    const isBuilt = literal.text.startsWith('.') && path.startsWith(dist)
    const name = isBuilt ? join(root, path.slice(dist.length)) : literal.text
    const mode = ts.getModeForUsageLocation(file, literal, settings)
    return ts.resolveModuleName(name, from, settings, host, undefined, redirect, mode)
  })
const program = ts.createProgram(scripts, options, host)
const found = scripts.flatMap((name) => {
  const file = program.getSourceFile(name)
  return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file).filter(isReported)]
})
process.stderr.write(ts.formatDiagnostics(found, { ...host, getCurrentDirectory: () => root }))
process.exitCode = scripts.length > 0 && found.length === 0 ? 0 : 1

function isReported({ code }) {
  return REPORTED.has(code)
}
