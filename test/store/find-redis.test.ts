import { delimiter } from 'node:path'
import t from 'tap'
import { openRedisServer } from '../../src/store/embedded/embedded-redis.js'
import { findRedisServer, HOW_TO_INSTALL } from '../../src/store/embedded/find-redis.js'
import { folder, nothing, program, searchPath } from './redis-programs.js'

t.test('finding a Redis server', async (t) => {
  t.test('TABIR_REDIS_BIN takes precedence over every other Redis server', async (t) => {
    const chosen = program(folder(t), 'my-redis', 'echo Redis server v=7.4.1 sha=0')
    const found = findRedisServer({ searchPath, npmRedis: 'on', redisServerBin: chosen })

    t.same(found, { binary: chosen, kind: 'Redis', version: '7.4.1', from: 'setting' })
  })

  t.test('a TABIR_REDIS_BIN that does not work is an error, and no other server is used', async (t) => {
    const broken = program(folder(t), 'my-redis', 'exit 127')
    const old = program(folder(t), 'my-redis', 'echo Redis server v=6.0.16 sha=0')
    const options = { searchPath, npmRedis: 'on' } as const

    t.throws(() => findRedisServer({ ...options, redisServerBin: broken }), /TABIR_REDIS_BIN does not name/)
    t.throws(() => findRedisServer({ ...options, redisServerBin: '/nowhere/redis' }), /TABIR_REDIS_BIN does not name/)
    t.throws(() => findRedisServer({ ...options, redisServerBin: old }), /version 6\.0\.16.*6\.2 or later/)
  })

  t.test('Redis servers on PATH come before those in usual folders, in the order of PATH', async (t) => {
    const [first, second, usual] = [folder(t), folder(t), folder(t)]
    const valkey = program(first, 'valkey-server', 'echo Valkey server v=8.1.1 sha=0')
    program(second, 'redis-server', 'echo Redis server v=8.0.2 sha=0')
    program(usual, 'redis-server', 'echo Redis server v=8.0.3 sha=0')
    const found = findRedisServer({
      searchPath: ['/nowhere', first, second].join(delimiter),
      npmRedis: 'on',
      usualFolders: [usual],
    })

    t.same(found, { binary: valkey, kind: 'Valkey', version: '8.1.1', from: 'path' })
  })

  t.test('a server that does not run or is too old is skipped', async (t) => {
    const [broken, old, usual] = [folder(t), folder(t), folder(t)]
    program(broken, 'redis-server', 'echo Redis server v=8.0.2 sha=0; exit 139')
    program(broken, 'valkey-server', 'echo something else')
    program(old, 'redis-server', 'echo Redis server v=5.0.14 sha=0')
    const good = program(usual, 'redis-server', 'echo Redis server v=6.2.0 sha=0')
    const found = findRedisServer({ ...nothing, searchPath: [broken, old].join(delimiter), usualFolders: [usual] })

    t.same(found, { binary: good, kind: 'Redis', version: '6.2.0', from: 'usual-folder' })
    t.throws(() => findRedisServer({ ...nothing, searchPath: old }), /version 5\.0\.14.*6\.2 or later/)
  })

  t.test('the server from npm is the last resort and can be switched off', async (t) => {
    const npm = findRedisServer({ ...nothing, npmRedis: 'on' })

    if (npm === undefined) t.pass('not on this system')
    else t.match(npm, { binary: /falkordblite.*redis-server$/, from: 'npm' })
    t.equal(findRedisServer(nothing), undefined)
  })

  t.test('without a server the error says how to install one', async (t) => {
    await t.rejects(openRedisServer({ ...nothing, dataDir: folder(t) }), { message: HOW_TO_INSTALL })

    for (const how of ['apt-get install -y redis', 'dnf install', 'apk add', 'brew install', 'docker run', 'REDIS_URL'])
      t.ok(HOW_TO_INSTALL.includes(how), how)
  })
})

t.test('an embedded server keeps no arguments of commands, also in the command log of Valkey 8.1', async (t) => {
  for (const [server, has] of [
    ['Redis server v=8.1.0', 0],
    ['Valkey server v=8.0.3', 0],
    ['Valkey server v=8.1.1', 2],
    ['Valkey server v=10.0.0', 2],
  ] as const) {
    const script = `[ "$1" = --version ] && echo "${server}" && exit; echo "$(printf '%s\\n' "$*" | grep -o 'commandlog-[a-z]*-larger-than -1' | wc -l) logs"; exit 3`
    const redisServerBin = program(folder(t), 'redis-server', script)
    await t.rejects(
      openRedisServer({ ...nothing, dataDir: folder(t), redisServerBin }),
      new RegExp(`^${has} logs$`, 'm'),
      server,
    )
  }
})
