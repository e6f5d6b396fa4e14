import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { makeFolder, makeFolderSync } from '../../src/files/make-folder.js'

const ways = { 'in turns': makeFolder, 'at once': async (path: string) => makeFolderSync(path) }

for (const [way, make] of Object.entries(ways)) {
  t.test(`a folder is made with those above it, for its owner only, and again by nobody (${way})`, async (t) => {
    const root = t.testdir()
    const path = join(root, 'a', 'b', 'c')
    await Promise.all([make(path), make(path)])
    await make(path)
    for (const folder of [path, join(root, 'a')]) t.equal(statSync(folder).mode & 0o777, 0o700)
    mkdirSync(join(root, 'real'))
    symlinkSync(join(root, 'real'), join(root, 'link'))
    await make(join(root, 'link', 'd'))
    t.ok(existsSync(join(root, 'real', 'd')))
  })

  t.test(`a folder that cannot be made is an error, and never a wait without end (${way})`, async (t) => {
    const root = t.testdir()
    writeFileSync(join(root, 'file'), '')
    await t.rejects(make(join(root, 'file')), { code: 'EEXIST' })
    await t.rejects(make(join(root, 'file', 'x')))
    symlinkSync(join(root, 'none'), join(root, 'broken'))
    await t.rejects(make(join(root, 'broken')), { code: 'EEXIST' })
    // Node's own `recursive` would never return.
    if (existsSync('/proc/self'))
      for (const path of ['/proc/x', '/proc/x/y']) await t.rejects(make(path), { code: 'ENOENT' })
  })
}

t.test('no program makes a folder in the way that may never return', async (t) => {
  const root = resolve(import.meta.dirname, '../../..')
  const users = ['src', 'workers'].flatMap((top) =>
    readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.startsWith('demo/')) // the demo's folders are its own
      .filter((name) => /mkdir(Sync)?\([^\n]*recursive: true/.test(readFileSync(join(root, top, name), 'utf8'))),
  )
  t.same(users, [])
})
