import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { z } from 'zod'
import { Variables } from '../src/config/variables.js'
import { SCOPES } from '../src/domain/organisations/access.js'
import { HOW_TO_INSTALL } from '../src/store/embedded/find-redis.js'
import { startService } from './helpers/service.js'

const root = resolve(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

t.test('no metric has a label that a caller can choose', async (t) => {
  const { app } = await startService(t)
  for (const url of ['/v1/cases/TBR-0000-0000-0000', '/nowhere/secret-place', '/v1/banks/secret-name/signals'])
    await app.inject({ url })
  const { body } = await app.inject({ url: '/metrics' })
  t.notMatch(body, /secret-(place|name)|TBR-/)
})

t.test('units, compose file and manifests set existing variables and start existing programs', async (t) => {
  for (const path of ['docker-compose.yml', 'deploy/kubernetes/tabir.yml', ...unitFiles('deploy/systemd')]) {
    // A password for compose itself is no setting of Tabir.
    const set = new Set(read(path).match(/\b(?:TABIR_[A-Z_]+|REDIS_(?:URL|SOCKET))\b/g))
    t.same(
      [...set].filter((name) => name !== 'TABIR_REDIS_PASSWORD' && !Object.hasOwn(Variables.shape, name)),
      [],
      path,
    )
    for (const [, program] of read(path).matchAll(/\bdist\/((?:src|workers)\/\w+)\.js/g))
      t.ok(existsSync(join(root, `${program}.ts`)), `${path} starts ${program}`)
    t.notMatch(read(path), /appendfsync everysec|maxmemory-policy (?!noeviction)/)
  }
})

t.test('every documented Redis has the settings of the private one', async (t) => {
  const examples = ['docker-compose.yml', 'deploy/kubernetes/tabir.yml'].map(read).concat(HOW_TO_INSTALL)
  for (const example of examples)
    for (const setting of [
      'appendonly yes',
      'appendfsync always',
      'maxmemory-policy noeviction',
      'hash-max-listpack-entries 2048',
      'hash-max-listpack-value 2048',
      'stream-node-max-bytes 512',
    ]) {
      t.ok(example.includes(`--${setting}`), `${example.slice(0, 20)}: ${setting}`)
      t.match(read('docs/runbook.md'), new RegExp(`\\| [^|]*\`${setting}\``), `${setting} is in the runbook`)
    }
})

const Compose = z.object({
  services: z.record(
    z.string(),
    z.object({ env_file: z.string().optional(), environment: z.record(z.string(), z.string()).optional() }),
  ),
})

t.test('compose passes its whole file to every process, and secrets only where they are needed', async (t) => {
  const { services } = Compose.parse(parse(read('docker-compose.yml'), { merge: true }))
  for (const name of ['api', 'workers', 'messenger']) t.equal(services[name]?.env_file, '.env', name)
  t.equal(services['redis']?.env_file, undefined)
  for (const secret of ['TABIR_SEAL_KEYS', 'TABIR_API_KEY', 'TABIR_REDIS_PASSWORD'])
    t.equal(services['workers']?.environment?.[secret], '', `${secret} is not passed to workers`)
})

t.test('compose overrides only places in the container and secrets', async (t) => {
  const { services } = Compose.parse(parse(read('docker-compose.yml'), { merge: true }))
  const places = ['TABIR_HOST', 'TABIR_PORT', 'TABIR_DATA_DIR', 'TABIR_WITHDRAWALS_DIR', 'TABIR_HANDOFF_HOST']
  const secrets = ['REDIS_URL', 'TABIR_SEAL_KEYS', 'TABIR_API_KEY', 'TABIR_REDIS_PASSWORD', 'REDIS_PASSWORD']
  for (const [name, { environment = {} }] of Object.entries(services))
    for (const [variable, value] of Object.entries(environment))
      if (![...places, ...secrets].includes(variable))
        t.match(value, new RegExp(`^\\$\\{${variable}:-`), `${name}: ${variable}`)
})

t.test('every scope of a key is in the runbook', (t) => {
  const [, table = ''] = read('docs/runbook.md').split('| scope |')
  const told = [...(table.split('\n\n')[0] ?? '').matchAll(/^\| `([\w:-]+)` \|/gm)].map(([, scope]) => scope)
  t.same(told.sort(), [...SCOPES].sort())
  t.end()
})

t.test('a build hides remarks of the compiler, and shows all output of a failure', async (t) => {
  const compiler = (status: number) => `
    console.error('Last converge was suboptimal.')
    if (${status} === 0) require('node:fs').writeFileSync(process.argv.at(-1), 'wasm')
    process.exitCode = ${status}`
  const folder = t.testdir({
    'node_modules/assemblyscript/bin': { 'asc.js': compiler(0) },
    'packages/hash/src/kernel': { 'pdq.ts': '' },
  })
  const program = `import { buildKernels } from ${JSON.stringify(join(root, 'kernels.mjs'))}; await buildKernels(${JSON.stringify(folder)})`
  const build = () => spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  t.match(build(), { status: 0, stdout: '', stderr: '' })
  const generated = join(folder, 'packages/hash/src/pdq.generated.ts')
  t.ok(existsSync(generated))
  rmSync(generated)
  writeFileSync(join(folder, 'node_modules/assemblyscript/bin/asc.js'), compiler(1))
  t.match(build(), { status: 1, stderr: /suboptimal/ })
})

function unitFiles(folder: string): string[] {
  return readdirSync(join(root, folder)).map((name) => `${folder}/${name}`)
}

t.test('the image contains everything that the build reads, and nothing else of the repository', (t) => {
  const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
    ([, names]) => names?.split(' ') ?? [],
  )
  const allowed = read('.dockerignore').matchAll(/^!(.+)$/gm)
  t.same([...new Set(copied)].sort(), Array.from(allowed, ([, name]) => name).sort())
  const programs = [...read('build.mjs').matchAll(/from '\.\/([\w-]+\.mjs)'/g)].flatMap(([, name]) => name ?? [])
  const sources = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && holdsSource(entry.name))
    .map(({ name }) => name)
  for (const name of ['build.mjs', 'tsconfig.json', ...programs, ...sources]) t.ok(copied.includes(name), name)
  t.end()
})

/** Source of the program itself, without tests and benchmarks. */
function holdsSource(folder: string): boolean {
  if (['test', 'bench', 'fuzz', 'dist', 'node_modules', 'examples'].includes(folder)) return false
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).some((name) => /\.tsx?$/.test(name))
}
