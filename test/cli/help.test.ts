import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { COMMANDS } from '../../src/cli/commands.js'
import { collect } from '../helpers/supervised.js'
import { runTabir } from '../helpers/tabir.js'

const NAMES = Object.keys(COMMANDS)

t.test('--help prints the usage of a command and does nothing', async (t) => {
  const folder = t.testdir({})
  for (const command of NAMES) {
    const { status, out, errors } = await tabir(folder, command, '--help')
    t.match({ status, errors, out }, { status: 0, errors: '', out: new RegExp(`^  tabir ${command} `) }, command)
    const others = NAMES.filter((other) => other !== command && out.includes(`  tabir ${other} `))
    t.same(others, [], `${command} only`)
  }
  for (const words of [
    'keys create --help',
    'keys revoke --help',
    'keys seal -h',
    'backup verify --help',
    'trust forgive --help',
  ]) {
    const { status, out } = await tabir(folder, ...words.split(' '))
    t.match({ status, out }, { status: 0, out: new RegExp(`^  tabir ${words.split(' -')[0]}`) }, words)
  }
  t.same(readdirSync(folder), [], 'no file of that name, no data folder, no Redis')
})

t.test('without a command the whole usage is printed, and an unknown command is an error', async (t) => {
  const folder = t.testdir({})
  const all = await tabir(folder)
  t.equal(all.status, 0)
  for (const command of NAMES) t.ok(all.out.includes(`  tabir ${command} `), command)
  for (const words of [['help'], ['--help'], ['-h'], ['help', 'nothing']]) t.same(await tabir(folder, ...words), all)
  t.match(await tabir(folder, 'help', 'import'), { status: 0, out: /^ {2}tabir import FILE/ })
  for (const word of ['nothing', 'constructor', '']) t.match(await tabir(folder, word), { status: 2, out: '' }, word)
})

t.test('an unknown option or an extra argument is an error, and nothing is done', async (t) => {
  const folder = t.testdir({ file: '' })
  t.intercept(process, 'env', { value: { TABIR_DATA_DIR: join(folder, 'data') } })
  const said = t.capture(process.stderr, 'write', () => true)
  const id = '00000000-0000-4000-8000-000000000000'
  for (const complete of [
    'audit list',
    'audit verify',
    'audit trim --older-than 90',
    `backup ${join(folder, 'new')}`,
    'backup verify file',
    'canary plant --bank list',
    'doctor',
    'exchange list',
    'exchange pull name',
    'export --bank list --plain',
    'import file --bank list',
    'index status',
    'keys create --org NAME --kind ngo --scopes match',
    'keys list',
    'keys rotate key',
    'keys revoke key',
    'keys suspend key',
    'keys restore key',
    'keys seal list',
    'keys seal rotate',
    'keys seal retire key',
    'receipts verify file',
    'restore file',
    'trust disputes',
    'trust quarantine',
    'trust strikes',
    `trust show ${id}`,
    `trust verify ${id}`,
    `trust hold ${id}`,
    `trust release ${id}`,
    `trust take-back ${id}`,
    `trust dispute ${id} misreport`,
    `trust decide ${id} upheld`,
    'trust forgive account',
    'webhooks list',
    `webhooks remove ${id}`,
  ]) {
    const [name = '', ...args] = complete.split(' ')
    for (const more of ['--dry-run', 'more']) {
      t.equal(await COMMANDS[name]?.([...args, more]), 2, `${complete} ${more}`)
      t.ok(said().length > 0, 'it says why')
    }
  }
  t.same(readdirSync(folder), ['file'], 'no file, no data folder, no Redis')
})

t.test('--version prints the version of the package, which is that of openapi.yaml', async (t) => {
  const folder = t.testdir({})
  const read = (path: string) => readFileSync(join(import.meta.dirname, '../../..', path), 'utf8')
  const [, version] = /"version": "([^"]+)"/.exec(read('package.json')) ?? []
  for (const word of ['--version', '-v', 'version'])
    t.same(await tabir(folder, word), { status: 0, out: `tabir ${version}\n`, errors: '' }, word)
  t.match(read('openapi.yaml'), new RegExp(`^  version: ${version}$`, 'm'))
})

t.test('every command reports invalid settings by name, without values and stack traces', async (t) => {
  const env = { TABIR_API_KEY: 'key', TABIR_KYE_FILE: 'x', TABIR_PORT: 'hunter2' }
  for (const words of [
    'keys list',
    'index status',
    'import file --bank list',
    'export --bank list --plain',
    'exchange list',
    'receipts verify file',
    'doctor',
  ]) {
    const { status, out, errors } = await runTabir(env, words.split(' '), t.testdir({ file: '{}' }))
    t.ok(status > 0, words)
    t.match(out + errors, /TABIR_PORT must be a whole number[\s\S]*TABIR_KYE_FILE is no setting/, words)
    t.notMatch(out + errors, /hunter2|\n {4}at /, 'no value, no trace')
  }
})

t.test('a command whose reader closes the pipe ends silently', async (t) => {
  const main = join(import.meta.dirname, '../../src/cli/main.js')
  const child = spawn(process.execPath, [main, 'help'], { env: {}, stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  const errors = collect(child)
  t.same(await once(child, 'close'), [141, null], 'the status of SIGPIPE')
  t.equal(errors(), '')
})

/** Runs in a folder that must not change. */
function tabir(cwd: string, ...args: string[]) {
  return runTabir({ PATH: process.env['PATH'] ?? '', TABIR_DATA_DIR: `${cwd}/data` }, args, cwd)
}
