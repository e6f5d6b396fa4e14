import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import t from 'tap'
import { z } from 'zod'

// Which folder may import which: no package imports from src. Type-only imports count. `app` assembles the parts; the processes in `boot`, and
// workers/*.ts, may import all.
const arrows: Readonly<Record<string, readonly string[]>> = {
  config: ['core', 'net', 'services', 'store'],
  hash: [],
  core: ['hash'],
  domain: ['core', 'hash'],
  jobs: ['core', 'domain'],
  net: [],
  files: ['core'],
  feed: ['core', 'hash'],
  handoff: ['core', 'domain', 'hash', 'net'],
  store: ['core', 'domain', 'files', 'hash'],
  exchange: ['core', 'domain', 'hash'],
  services: ['core', 'domain', 'exchange', 'handoff', 'hash', 'jobs', 'net', 'store'],
  http: ['core', 'domain', 'exchange', 'feed', 'hash', 'net', 'services', 'web'],
  client: ['core'],
  web: ['core', 'domain'],
  app: ['core', 'domain', 'exchange', 'handoff', 'http', 'jobs', 'net', 'services', 'store', 'web'],
  cli: ['boot', 'core', 'domain', 'exchange', 'files', 'http', 'net', 'services', 'store'],
  demo: ['client', 'domain', 'store'],
}
const Manifest = z.object({ dependencies: z.record(z.string(), z.string()).optional() })
const pure = ['hash', 'core', 'domain']
const root = resolve(import.meta.dirname, '../..')

t.test('no folder of src and no package has a forbidden import', async (t) => {
  for (const { folder, file, specifier, target } of importsUnder('src', 'packages')) {
    t.not(folder, 'top', `${file} is in a folder`)
    if (folder === 'boot' || target === undefined || target === folder) continue
    t.ok(arrows[folder]?.includes(target), `${file} imports ${specifier}`)
  }
})

t.test('hash, core and domain import nothing from outside, so that they run in a browser', async (t) => {
  for (const { folder, file, specifier } of importsUnder('src', 'packages')) {
    if (pure.includes(folder) && !file.startsWith('packages/core/src/node/'))
      t.ok(specifier.startsWith('.'), `${file} imports ${specifier}`)
  }
})

t.test('a package imports only its dependencies, and only core/src/node and @tabir/feed import from Node', async (t) => {
  for (const { folder, file, specifier, target } of importsUnder('packages')) {
    if (target !== undefined) continue
    const { dependencies = {} } = Manifest.parse(
      JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8')),
    )
    const isOfNode = /^packages\/(feed|core\/src\/node)\//.test(file) && specifier.startsWith('node:')
    t.ok(isOfNode || specifier in dependencies, `${file} imports ${specifier}`)
  }
})

t.test('the page imports hash, domain, and a few packages for sizes, videos, HEIC, JPEG XL and challenges', async (t) => {
  for (const { folder, file, specifier, target } of importsUnder('page')) {
    t.equal(folder, 'page')
    if (target === undefined)
      t.match(
        specifier,
        /^(image-size|libheif-js\/libheif-wasm\/.*|jxl-oxide-wasm\/module\.wasm|mediabunny|altcha-lib(\/.*)?)$/,
        `${file} imports ${specifier}`,
      )
    else t.ok(['page', 'core', 'hash', 'domain'].includes(target), `${file} imports ${specifier}`)
  }
})

t.test('the console imports only domain, what the page hashes with, and Preact', async (t) => {
  for (const { folder, file, specifier, target } of importsUnder('console')) {
    t.equal(folder, 'console')
    if (target === undefined) t.match(specifier, /^preact(\/hooks)?$/, `${file} imports ${specifier}`)
    else t.ok(['console', 'core', 'page', 'domain'].includes(target), `${file} imports ${specifier}`)
  }
})

t.test('only workers/media imports an image codec', async (t) => {
  for (const { file, specifier } of importsUnder('src', 'packages', 'workers')) {
    if (['sharp', 'imghash', 'mediabunny'].includes(specifier)) {
      t.ok(file.startsWith('workers/media/') || file.startsWith('src/demo/'), `${file} imports ${specifier}`)
    }
  }
})

t.test('only src/net makes outgoing requests, since fetch and Node’s requests bypass its checks', async (t) => {
  const callers = ['node:https', 'node:http2', 'node:tls', 'undici']
  for (const { file, specifier } of importsUnder('src', 'packages', 'workers')) {
    // These call what `fetch` may call below.
    const isOwnService = ['src/cli/remote.ts', 'src/cli/doctor/doctor-api.ts'].includes(file)
    if (callers.includes(specifier) && !isOwnService) t.ok(file.startsWith('src/net/'), `${file} imports ${specifier}`)
  }
  for (const file of ['src', 'packages', 'workers'].flatMap((top) => sourcesUnder(top))) {
    const fetches = /(?<![.\w])fetch\(/.test(readFileSync(join(root, file), 'utf8'))
    if (fetches) t.match(file, /^src\/(cli|demo)\//, 'an operator’s call to the own service')
  }
})

// Modules that write files, and what they use for it. A new one needs a review: short writes, full disks, kills, permissions.
const fileWriters: Readonly<Record<string, readonly string[]>> = {
  'packages/core/src/node/write-file.ts': ['link', 'linkSync', 'open', 'openSync', 'rename', 'renameSync', 'writeSync'],
  'src/files/record-file.ts': ['open'],
  'src/files/continued-file.ts': ['open'],
  'src/files/standard-output.ts': ['write'],
  // Tests whether it could write, and writes nothing.
  'workers/sandbox-proof.ts': ['openSync', 'renameSync'],
  'src/boot/process.ts': ['writeFileSync'], // to /proc
  'packages/build.mjs': ['copyFileSync', 'writeFileSync'], // builds the packages
  'examples/telegram-bot.mjs': ['rename', 'writeFile'], // an example without our helpers; the new file is next to the old one
}
/** Reads, inspects, makes folders and removes. Everything else of `node:fs` writes, or can be used to write. */
const readsFiles =
  /^(type \w+|access(Sync)?|constants|createReadStream|existsSync|l?stat(Sync)?|statfs|readdir(Sync)?|readFile(Sync)?|realpath(Sync)?|mkdir(Sync)?|mkdtemp|rm(Sync)?|chmodSync|closeSync|fstatSync|fsyncSync)$/

t.test('an api loads BullMQ once it queues something: that takes as long as loading a tenth of the api', async (t) => {
  const seen = new Set<string>()
  const visit = (file: string): void => {
    if (seen.has(file)) return
    seen.add(file)
    const text = readFileSync(join(root, file), 'utf8')
    for (const [, specifier = ''] of text.matchAll(/^(?:import|export) (?!type )[^'"]*?from '([^']+)'/gm)) {
      t.not(specifier, 'bullmq', file)
      if (specifier.startsWith('.')) visit(join(dirname(file), specifier).replace(/\.js$/, '.ts'))
    }
  }
  visit('src/boot/server.ts')
  t.ok(seen.has('src/app/hashing-queue.ts'), 'the walk reaches what queues')
})

t.test('only the helpers of src/files write files', async (t) => {
  const found: Record<string, string[]> = {}
  const sources = ['src', 'packages', 'workers', 'bin', 'examples'].flatMap((top) => sourcesUnder(top, /\.(ts|tsx|js|mjs)$/))
  for (const file of sources) {
    const text = readFileSync(join(root, file), 'utf8')
    t.notMatch(text, /process\.binding|require\(|getBuiltinModule/, `${file} has no other way to import them`)
    for (const [statement, names] of text.matchAll(
      /^import\s+([^'"]*?)\s+from\s+'(?:node:)?fs(?:\/promises)?'|import\(['"](?:node:)?fs/gms,
    )) {
      t.match(names, /^\{[^}]*\}$/, `${file} names its imports: ${statement}`)
      const writing = (names ?? '')
        .replace(/[{}]/g, '')
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '' && !readsFiles.test(name))
      if (writing.length > 0) found[file] = [...(found[file] ?? []), ...writing].sort()
    }
  }
  t.same(found, fileWriters)
})

t.test('the environment is read in one place', async (t) => {
  for (const file of ['src', 'packages', 'workers'].flatMap((top) => sourcesUnder(top))) {
    const uses = readFileSync(join(root, file), 'utf8').match(/process\.env\b(?!\))/g)
    if (uses !== null)
      t.ok(
        ['src/boot/config.ts', 'src/boot/supervisor.ts'].includes(file) || file.startsWith('src/demo/'),
        `${file} reads the environment`,
      )
  }
})

function importsUnder(...tops: string[]) {
  return tops
    .flatMap((top) => sourcesUnder(top))
    .flatMap((file) => {
      const text = readFileSync(join(root, file), 'utf8')
      const specifiers = [
        ...text.matchAll(/^\s*(?:import|export)\b[^'"]*?from\s+'([^']+)'|^\s*import\s+'([^']+)'|\bimport\('([^']+)'\)/gm),
      ]
      return specifiers.map(([, from, bare, dynamic]) => {
        const specifier = from ?? bare ?? dynamic ?? ''
        const target = specifier.startsWith('.')
          ? folderOf(relative(root, resolve(root, dirname(file), specifier)))
          : undefined
        return { file, folder: folderOf(file), specifier, target }
      })
    })
}

/** `src/http/routes/match.ts` → `http`; `packages/hash/src/pdq.ts` → `hash`; files at the top of src → `top`; others → their first folder. */
function folderOf(file: string): string {
  const [first, second, third] = file.split('/')
  if (first === 'packages') return second ?? ''
  if (first !== 'src') return first ?? ''
  return third === undefined ? 'top' : (second ?? '')
}

function sourcesUnder(top: string, names = /\.tsx?$/): string[] {
  return readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
    .filter((name) => names.test(name) && !/(kernel|dist)\//.test(name) && !name.endsWith('.generated.ts'))
    .map((name) => join(top, name))
}
