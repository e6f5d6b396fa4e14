// Bundles the page and the console into dist/public: files named by their content, compressed once, with a manifest for the api.
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'
import { build } from 'esbuild'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const console = join(root, 'console')

/**
 * Scripts that decode a format which not every browser can open, and one that reads videos. Each is a worker with the decoder's bytes in it, loaded
 * when such a file is chosen. So the policy of workers stays as it is: a worker that sees a picture can load nothing.
 */
/** @type {{ format: string, entry: string, needs: string }[]} `needs`: a module that has to be installed. */
const DECODERS = [
  { format: 'heif', entry: 'worker-heif.ts', needs: 'libheif-js/package.json' },
  { format: 'jxl', entry: 'worker-jxl.ts', needs: 'jxl-oxide-wasm/package.json' },
  { format: 'video', entry: 'worker-video.ts', needs: 'mediabunny' },
]
/** Modules of Node that decoders import when they run in Node. */
const NODE_ONLY = ['fs', 'path', 'crypto']

/** An operator may leave a decoder out. Then the page offers to send such files, or says that the service cannot read them either. */
function isInstalled({ needs }) {
  try {
    createRequire(import.meta.url).resolve(needs)
    return true
  } catch {
    return false
  }
}

/**
 * @param source the folder `page`; @param target where the api reads from. It is replaced as a whole, so that an api never
 * sees half of it, and left alone when nothing changed.
 */
export async function buildPage(source, target) {
  const manifestPath = join(target, 'manifest.json')
  const builtAtMs = existsSync(manifestPath) ? statSync(manifestPath).mtimeMs : 0
  const inputs = [
    ...filesIn(source),
    ...filesIn(console),
    ...filesIn(join(root, 'packages/hash/src')),
    ...filesIn(join(root, 'src/domain')),
  ]
  if (inputs.every((file) => statSync(file).mtimeMs < builtAtMs)) return

  const decoders = Object.fromEntries(DECODERS.filter(isInstalled).map(({ format, entry }) => [format, entry]))
  const { outputFiles } = await build({
    entryPoints: [
      ...['page.ts', 'worker.ts', 'style.css', ...Object.values(decoders)].map((file) => join(source, file)),
      ...['console.tsx', 'console.css'].map((file) => join(console, file)),
    ],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    outdir: target,
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    loader: { '.wasm': 'binary' },
    external: NODE_ONLY,
    target: ['es2022', 'chrome100', 'firefox116', 'safari16.4'],
    legalComments: 'none',
    logLevel: 'warning',
  })
  const made = new Map(outputFiles.map(({ path, contents }) => [basename(path), Buffer.from(contents)]))
  made.set('icon.svg', readFileSync(join(source, 'icon.svg')))

  mkdirSync(dirname(target), { recursive: true })
  const fresh = `${target}-${process.pid}`
  mkdirSync(join(fresh, 'assets'), { recursive: true })
  const assets = (names) =>
    Promise.all(
      Object.entries(names).map(async ([role, name]) => [
        role,
        await writeAsset(join(fresh, 'assets'), name, made.get(name)),
      ]),
    )
  const scripts = Object.entries(decoders).map(([format, entry]) => [format, entry.replace(/\.ts$/, '.js')])
  const [roles, ofDecoders] = await Promise.all([
    assets({ script: 'page.js', worker: 'worker.js', icon: 'icon.svg', console: 'console.js' }),
    assets(Object.fromEntries(scripts)),
  ])
  const manifest = { ...Object.fromEntries(roles), decoders: Object.fromEntries(ofDecoders) }
  for (const folder of ['html', 'messages']) cpSync(join(source, folder), join(fresh, folder), { recursive: true })
  cpSync(join(console, 'console.html'), join(fresh, 'html/console.html'))
  for (const name of ['style.css', 'console.css']) writeFileSync(join(fresh, 'html', name), made.get(name))
  writeFileSync(join(fresh, 'manifest.json'), JSON.stringify(manifest))
  rmSync(target, { recursive: true, force: true })
  renameSync(fresh, target)
}

async function writeAsset(folder, name, contents) {
  const digest = createHash('sha384').update(contents).digest()
  const [stem, ending] = name.split('.')
  const file = `${stem}-${digest.toString('hex').slice(0, 16)}.${ending}`
  writeFileSync(join(folder, file), contents)
  const [br, gz] = await Promise.all([promisify(brotliCompress)(contents), promisify(gzip)(contents, { level: 9 })])
  writeFileSync(join(folder, `${file}.br`), br)
  writeFileSync(join(folder, `${file}.gz`), gz)
  return { file, integrity: `sha384-${digest.toString('base64')}` }
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}
