// The packages as an installing project has them: packed, in their own project, in Node and in a browser.

import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process'
import { copyFileSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { build } from 'esbuild'
import t, { type Test } from 'tap'
import { type GivenSignal, hashVideo, type Pixels } from '../packages/hash/src/hash-image.js'
import { formatHash } from '../packages/hash/src/hash256.js'
import { decode } from '../workers/media/decode.js'
import { hashImage } from '../workers/media/hashes-of-file.js'
import { launchChromium, withoutBrowser } from './helpers/chromium.js'
import { scene, scenePixels } from './helpers/pictures.js'
import { keyFor, randomHashText, startService } from './helpers/service.js'
import { listen } from './helpers/sockets.js'

const root = resolve(import.meta.dirname, '../..')
const NAMES = ['client', 'feed', 'hash']
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const project = t.testdir({ 'package.json': '{ "type": "module" }', packed: {} })
/** Runs a command in the project; npm must not ask a registry. */
const run = (...command: string[]): SpawnSyncReturns<string> =>
  spawnSync(command[0] ?? '', command.slice(1), { cwd: project, encoding: 'utf8' })

t.test('each package is packed completely, and nothing else with it', (t) => {
  const packed = spawnSync(
    'npm',
    [
      'pack',
      '--silent',
      ...NAMES.map((name) => `--workspace=@tabir/${name}`),
      '--pack-destination',
      join(project, 'packed'),
    ],
    {
      cwd: root,
      encoding: 'utf8',
    },
  )
  t.equal(packed.status, 0, packed.stderr)
  for (const name of NAMES) {
    const list = run('tar', '-tzf', `packed/tabir-${name}-${version}.tgz`).stdout.trim().split('\n').toSorted()
    const top = list.map((path) => path.replace(/^package\/dist\/types\/.*\.d\.ts$/, 'types').replace('package/', ''))
    t.same([...new Set(top)], ['LICENSE', 'NOTICE', 'README.md', 'dist/index.js', 'types', 'package.json'], name)
  }
  t.end()
})

t.test('the packages are installed into an empty project, without a registry', (t) => {
  const zod = run(
    'npm',
    'pack',
    '--silent',
    '--ignore-scripts',
    '--pack-destination',
    'packed',
    join(root, 'node_modules/zod'),
  )
  t.equal(zod.status, 0, zod.stderr)
  const files = readdirSync(join(project, 'packed')).map((name) => `./packed/${name}`)
  const installed = run('npm', 'install', '--offline', '--no-audit', '--no-fund', ...files)
  t.equal(installed.status, 0, installed.stderr)
  t.same(readdirSync(join(project, 'node_modules/@tabir')).toSorted(), NAMES)
  // For the program below; it is no dependency of our packages.
  symlinkSync(join(root, 'node_modules/sharp'), join(project, 'node_modules/sharp'))
  t.end()
})

const ready = startService(t).then(async (service) => {
  const url = `http://127.0.0.1:${await listen(service.app)}`
  const { key, headers } = await keyFor(service, 'platform', ['match', 'feed', 'signals:write'])
  return { service, url, key, headers }
})

/** Runs a program of the project beside this process, which has the service. @returns its output. */
async function printed(t: Test, file: string, args: readonly string[], env: object = {}): Promise<string> {
  const child = spawn(process.execPath, [file, ...args], { cwd: project, env: { PATH: process.env['PATH'], ...env } })
  const [said, faults] = await Promise.all([text(child.stdout), text(child.stderr)])
  t.equal(faults, '', file)
  return said
}

t.test('a program compiles against the packages’ types, opens a case and finds its picture by query and feed', async (t) => {
  copyFileSync(join(root, 'test/data/use-packages.mts'), join(project, 'use.mts'))
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    module: 'nodenext',
    target: 'es2023',
    types: [],
  }
  const tsconfig = {
    compilerOptions: { ...compilerOptions, lib: ['es2023', 'dom', 'dom.asynciterable'] },
    include: ['use.mts'],
  }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(tsconfig))
  const compiled = run(process.execPath, join(root, 'node_modules/typescript/bin/tsc'), '-p', '.')
  t.match(compiled, { status: 0, stdout: '' })

  const { url, key } = await ready
  const said = JSON.parse(await printed(t, 'use.mjs', [url, key]))
  t.same(said, { grade: 'exact', held: 0, size: 1, refused: 'key-missing' })
})

t.test('the types are found in every way of resolving modules, and CommonJS can load the packages', (t) => {
  const names = [
    ['client', 'tabirClient'],
    ['feed', 'openFeed'],
    ['hash', 'hashImage'],
  ] as const
  const imports = names.map(([name, value]) => `import { ${value} } from '@tabir/${name}'\n`).join('')
  writeFileSync(join(project, 'found.ts'), `${imports}export const all = [${names.map(([, value]) => value).join()}]\n`)
  const more = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2023', '--ignoreDeprecations', '6.0']
  for (const [module, moduleResolution] of [
    ['commonjs', 'node10'],
    ['esnext', 'bundler'],
  ] as const) {
    const way = ['--module', module, '--moduleResolution', moduleResolution]
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    t.match(
      run(process.execPath, compiler, ...more, ...way, 'found.ts', '--ignoreConfig'),
      { status: 0, stdout: '' },
      moduleResolution,
    )
  }
  const load = `Promise.all([${names.map(([name]) => `import('@tabir/${name}')`).join()}]).then((all) => console.log(all.length))`
  writeFileSync(join(project, 'load.cjs'), load)
  t.match(run(process.execPath, 'load.cjs'), { status: 0, stdout: '3\n' })
  t.end()
})

/** An example of a README, as a program of the project. */
function example(name: string, index = 0): string {
  const readme = readFileSync(join(project, 'node_modules/@tabir', name, 'README.md'), 'utf8')
  const code = Array.from(readme.matchAll(/```js\n(.*?)```/gs), ([, code = '']) => code)[index] ?? ''
  const file = `readme-${name}-${index}.mjs`
  writeFileSync(join(project, file), code)
  return file
}

/** The hashes of the service's own workers. */
async function hashedByService(bytes: Buffer): Promise<GivenSignal[]> {
  const { signals, blockhash, quality } = await hashImage(bytes, 'query')
  const all = [...signals, { type: 'blockhash' as const, view: 'whole' as const, quality, hashes: blockhash }]
  return all.map(({ type, view, quality, hashes: [hash] }) => ({ type, view, quality, hash: hash ? formatHash(hash) : '' }))
}

t.test('the examples of the READMEs give the results that they state', async (t) => {
  const { service, url, key, headers } = await ready
  const { bytes } = await scene(5)
  writeFileSync(join(project, 'picture.jpg'), bytes)
  t.same(JSON.parse(await printed(t, example('hash'), ['picture.jpg'])), await hashedByService(bytes), 'like the service')

  const hash = randomHashText()
  await service.app.inject({ method: 'POST', url: '/v1/banks', headers, payload: { name: 'known' } })
  const payload = { signals: [{ type: 'pdq', hash, quality: 90 }] }
  await service.app.inject({ method: 'POST', url: '/v1/banks/known/signals', headers, payload })
  const env = { TABIR_URL: url, TABIR_API_KEY: key }
  t.match(JSON.parse(await printed(t, example('client'), [hash], env)), { matches: [{ grade: 'near', distanceBand: '0' }] })
  t.match(await printed(t, example('feed'), [hash], env), /^\d+ \[\{"id":.*"distanceBits":0/)
})

t.test('the example with ffmpeg hashes the frames that ffmpeg outputs', async (t) => {
  const { data, ...size } = scenePixels(6, { width: 160, height: 120 })
  const grey = Uint8Array.from({ length: data.length / 3 }, (_, i) => data[3 * i + 1] ?? 0)
  writeFileSync(join(project, 'grey'), grey)
  const said = "printf 'YUV4MPEG2 W160 H120 F4:1 Ip A2:1 Cmono\\n'; for _ in 1 2 3; do printf 'FRAME\\n'; cat grey; done"
  writeFileSync(join(project, 'ffmpeg'), `#!/bin/sh\n${said}\n`, { mode: 0o755 })
  const found = await printed(t, example('hash', 1), ['video.mp4'], { PATH: `${project}:${process.env['PATH']}` })
  const frames = [0, 250, 500].map((atMs) => ({
    atMs,
    pixels: { data: grey, ...size, channels: 1 as const },
    aspect: 8 / 3,
  }))
  t.same(JSON.parse(found), await hashVideo(frames))
  t.match(JSON.parse(found), { durationMs: 750, frames: [{ atMs: 0 }], protectedShare: 1 })
})

const bundled = () =>
  build({
    stdin: { contents: `export * from '@tabir/client'; export { hashImage } from '@tabir/hash'`, resolveDir: project },
    bundle: true,
    write: false,
    metafile: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'tabir',
  })

t.test('client and hash are bundled for a browser without Node and without other packages', async (t) => {
  const { metafile } = await bundled()
  const taken = Object.keys(metafile.inputs).map((path) => /node_modules\/(.*)$/.exec(path)?.[1] ?? path)
  t.same(taken.toSorted(), ['<stdin>', '@tabir/client/dist/index.js', '@tabir/hash/dist/index.js'])
})

t.test('in a browser the packages give the same hashes and query the service', { skip: withoutBrowser }, async (t) => {
  const { url, key } = await ready
  const [{ outputFiles }, browser] = await Promise.all([bundled(), launchChromium()])
  t.teardown(() => browser.close())
  const page = await (await browser.newContext({ bypassCSP: true })).newPage()
  await page.goto(`${url}/health/live`)
  await page.addScriptTag({ content: outputFiles[0]?.text ?? '' })
  const { bytes } = await scene(5)
  const { width, height, data } = await decode(bytes)
  const said = await page.evaluate(inPage, { url, key, width, height, data: data.toString('base64') })
  t.same(said.signals, await hashedByService(bytes))
  t.ok(Array.isArray(said.matches))
})

interface InPage {
  readonly url: string
  readonly key: string
  readonly width: number
  readonly height: number
  /** In base64: a number for each byte takes seconds to transfer. */
  readonly data: string
}

/** Runs in the page. */
async function inPage({ url, key, width, height, data }: InPage) {
  const { tabir } = globalThis as unknown as { tabir: typeof import('../packages/client/src/tabir-client.js') & Hashing }
  const bytes = Uint8Array.from(atob(data), (byte) => byte.charCodeAt(0))
  const pixels: Pixels = { data: bytes, width, height, channels: 3 }
  const { signals } = await tabir.hashImage(pixels)
  const { matches } = await tabir.tabirClient({ url, key }).matchPixels(pixels)
  return { signals, matches }
}

type Hashing = typeof import('../packages/hash/src/hash-image.js')
