import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
const COMMANDS = 'audit backup canary doctor exchange export import index keys receipts restore trust webhooks'.split(' ')

t.test('who asks what a command does is told, and nothing is done', async (t) => {
  const folder = t.testdir({})
  for (const command of COMMANDS) {
    const { status, out, errors } = await tabir(folder, command, '--help')
    t.match({ status, errors, out }, { status: 0, errors: '', out: new RegExp(`^  tabir ${command} `) }, command)
    const others = COMMANDS.filter((other) => other !== command && out.includes(`  tabir ${other} `))
    t.same(others, [], `${command} and no other`)
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

t.test('without a command, and for help, all of it is told; for what is no command, as an error', async (t) => {
  const folder = t.testdir({})
  const all = await tabir(folder)
  t.equal(all.status, 0)
  for (const command of COMMANDS) t.ok(all.out.includes(`  tabir ${command} `), command)
  for (const words of [['help'], ['--help'], ['-h'], ['help', 'nothing']]) t.same(await tabir(folder, ...words), all)
  t.match(await tabir(folder, 'help', 'import'), { status: 0, out: /^ {2}tabir import FILE/ })
  for (const word of ['nothing', 'constructor', '']) t.match(await tabir(folder, word), { status: 2, out: '' }, word)
})

/** In a folder of its own, with which nothing is to happen. */
function tabir(cwd: string, ...args: string[]): Promise<{ status: number; out: string; errors: string }> {
  const env = { PATH: process.env['PATH'], TABIR_DATA_DIR: `${cwd}/data` }
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...args], { env, cwd }, (_, out, errors) =>
      resolve({ status: child.exitCode ?? 1, out, errors }),
    )
  })
}
