// One module for each program that Tabir starts: its entry with all that it imports. Loading a thousand small modules costs each process 0.1 to 0.4 s
// more of processor time, and workers start children often. It replaces the entry in dist/, so paths to it stay as they are; the other modules are
// there too, for tests.

import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { build } from 'esbuild'

/** Programs and threads, without ending. */
export const ENTRIES = [
  'src/boot/server',
  'src/boot/supervisor',
  'src/cli/main',
  'src/services/cases/report-pdf-thread',
  'src/store/images/reader/thread',
  'workers/decoders',
  'workers/main',
  'workers/media/child',
  'workers/media/video/video-child',
  'workers/messenger',
  'workers/sandbox-proof',
]

/** Not included: native code; packages that read files beside themselves; tracing, which watches what is imported. */
const EXTERNAL = [
  'sharp',
  'harfbuzzjs',
  'libheif-js',
  'jxl-oxide-wasm',
  'msgpackr-extract',
  'pdfkit',
  'pino',
  '@cwasm/*',
  '@fastify/swagger',
  '@fastify/swagger-ui',
  '@fastify/otel',
  '@opentelemetry/*',
]

/** What packages that are CommonJS expect. */
const COMMONJS = `import { createRequire as requireFrom } from 'node:module'
const require = requireFrom(import.meta.url)
const { dirname: __dirname, filename: __filename } = import.meta`

/**
 * @param root the folder with `src` and `workers`. @param dist the folder to write to. @param sources text that replaces a source, by its path from
 * `root`. Cost: about two seconds.
 */
export async function bundleProcesses(root, dist = join(root, 'dist'), sources = new Map()) {
  await build({
    absWorkingDir: root,
    entryPoints: ENTRIES.map((entry) => `${entry}.ts`),
    outbase: '.',
    outdir: dist,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: EXTERNAL,
    banner: { js: COMMONJS },
    keepNames: true,
    sourcemap: true,
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'warning',
    plugins: [ownAddresses(root, sources)],
  })
}

/** In the bundle, each module keeps its own `import.meta.url`: that of the single module in dist/. */
function ownAddresses(root, sources) {
  return {
    name: 'own-addresses',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const source = relative(root, path)
        const text = sources.get(source) ?? readFileSync(path, 'utf8')
        if (!text.includes('import.meta.url')) return { contents: text, loader: 'ts' }
        const module = JSON.stringify(source.replace(/\.ts$/, '.js'))
        const address = `const moduleUrl = import.meta.url.replace(/(?<=.*\\/dist\\/).*/, ${module}); ` // in the same line: lines keep their numbers
        return { contents: address + text.replaceAll('import.meta.url', 'moduleUrl'), loader: 'ts' }
      })
    },
  }
}
