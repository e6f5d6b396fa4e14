// The proxy that the service ships an example of: nothing written about people, nothing of what passes on disk, addresses of callers not believed.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { delimiter, join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import { certificatePem, certify, keyPem } from '../helpers/certificate.js'
import { freePorts } from '../helpers/ports.js'
import { Description } from '../helpers/requests.js'
import { startService, until } from '../helpers/service.js'

const shipped = readFileSync(resolve(import.meta.dirname, '../../../deploy/nginx/tabir.conf'), 'utf8')
const CASE = '/v1/cases/TBR-2345-6789-ABCD'

t.test('no path that sees a person is logged, and no log has a query string', async (t) => {
  const { app } = await startService(t)
  await app.ready()
  const { paths } = Description.parse(app.swagger())
  const ofPeople = Object.keys(paths).filter((path) => /^\/v1\/(cases|privacy|notices|receipts|appeals)/.test(path))
  t.ok(ofPeople.length > 20)
  const pages = ['/', '/?lang=ms', '/case', '/case/', '/help', '/privacy', '/how-it-works', '/assets/page.js', CASE]
  for (const path of [...ofPeople, ...pages, '//v1/cases', '/v1/cases/match', '/v1/CASES/match/images'])
    t.notOk(
      loggedPaths().some((pattern) => pattern.test(path)),
      path,
    )
  for (const path of ['/v1/match', '/v1/match/images', '/v1/feed'])
    t.ok(
      loggedPaths().some((pattern) => pattern.test(path)),
      path,
    )
  const servers = blocks('server')
  t.equal(servers.length, 2)
  for (const server of servers) {
    const ofServer = server.replaceAll(/\blocation [^{]+\{[^}]*\}/g, '')
    t.match(ofServer, /^ {4}access_log off;$/m)
    t.match(ofServer, /^ {4}error_log \/dev\/null crit;$/m)
  }
  t.notMatch(shipped.replaceAll(/^\s*#.*$/gm, ''), /\$(request\b(?!_)|request_uri|args|query_string|http_|arg_)/)
  t.match(shipped, /proxy_request_buffering off;\n\s+proxy_buffering off;\n\s+proxy_max_temp_file_size 0;/)
})

/** Of the locations with a log. */
function loggedPaths(): RegExp[] {
  return blocks('location')
    .filter((block) => /access_log (?!off;)/.test(block))
    .map((block) => new RegExp(block.match(/^location ~ (\S+) \{/)?.[1] ?? '(?:)'))
}

/** Blocks of a name, each to its closing brace at the same depth. */
function blocks(name: string): string[] {
  return [...shipped.matchAll(new RegExp(`^( *)${name}\\b[^;{]*\\{$[^]*?^\\1\\}$`, 'gm'))].map(([block]) => block.trim())
}

const places = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']
const program = places.map((place) => join(place, 'nginx')).find((path) => existsSync(path))
const skip = program === undefined ? 'nginx is missing: a package of Debian' : false

t.test('nginx passes all on as it comes, and logs what organisations ask alone', { skip }, async (t) => {
  const seen: IncomingMessage[] = []
  const parts: number[] = []
  const arriving = new EventEmitter()
  const behind = createServer((request, response) => {
    seen.push(request)
    request.on('data', (part: Buffer) => {
      parts.push(part.length)
      arriving.emit('part')
    })
    request.on('end', () => response.end('answered'))
  }).listen(0, '127.0.0.1')
  await once(behind, 'listening')
  t.teardown(() => {
    behind.closeAllConnections()
    behind.close()
  })
  const { folder, ask } = await startNginx(t, (behind.address() as AddressInfo).port)

  for (const path of ['/', '/case?n=TBR-2345', CASE, `${CASE}/images?a=1`, '/v1/match?hash=beef', '/v1/match/../cases/x'])
    t.equal(await statusOf(ask(path)), 200, path)
  t.equal(await statusOf(ask('/docs/json')), 404)
  t.same(new Set(seen.map(({ headers }) => headers['x-forwarded-for'])), new Set(['127.0.0.1']))

  const upload = ask(`${CASE}/images`, { method: 'POST', headers: { 'transfer-encoding': 'chunked' } })
  upload.write(Buffer.alloc(1000))
  // Nothing ends the request before the service has its first part: a proxy that collects bodies would wait for ever.
  await once(arriving, 'part')
  t.same(parts, [1000])
  upload.write(Buffer.alloc(3_000_000))
  t.equal(await statusOf(upload), 200)
  t.equal(
    parts.reduce((sum, each) => sum + each, 0),
    3_001_000,
  )

  behind.closeAllConnections()
  behind.close()
  t.equal(await statusOf(ask(CASE)), 502)
  const log = () => readFileSync(join(folder, 'organisations.log'), 'utf8')
  t.match(log(), /^\S+ 127\.0\.0\.1 GET \/v1\/match 200 [\d.]+\n$/, 'one line, without its hash')
  t.equal(readFileSync(join(folder, 'everything.log'), 'utf8'), '', 'what nginx writes by default')
  t.notMatch(readFileSync(join(folder, 'errors.log'), 'utf8'), /TBR-|cases/)
})

function statusOf(request: ReturnType<typeof httpsRequest>): Promise<number | undefined> {
  return new Promise((tell, fail) => {
    request.once('response', (answer) => tell(answer.resume().statusCode))
    request.once('error', fail)
    request.end()
  })
}

/** The shipped file with other addresses and paths, inside what a system's own file has around it. */
async function startNginx(t: Test, behind: number) {
  const folder = t.testdir({ 'cert.pem': '', 'key.pem': '' })
  const [plain = 0, port = 0] = await freePorts(2)
  const identity = certify('tabir.example', { address: '127.0.0.1' })
  writeFileSync(join(folder, 'cert.pem'), certificatePem(identity))
  writeFileSync(join(folder, 'key.pem'), keyPem(identity))
  mkdirSync(join(folder, 'temp'))
  const here = shipped
    .replaceAll(/^ +listen \[::\].*\n/gm, '')
    .replace('listen 80;', `listen 127.0.0.1:${plain};`)
    .replace('listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`)
    .replace('server 127.0.0.1:8080;', `server 127.0.0.1:${behind};`)
    .replace('/etc/ssl/tabir/fullchain.pem', join(folder, 'cert.pem'))
    .replace('/etc/ssl/tabir/privkey.pem', join(folder, 'key.pem'))
    .replace('/var/log/nginx/tabir.log', join(folder, 'organisations.log'))
  writeFileSync(join(folder, 'tabir.conf'), here)
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${folder}/temp/${kind};`,
  )
  const around = `
    ${process.getuid?.() === 0 ? 'user root;' : ''}
    worker_processes 1;
    daemon off;
    pid ${folder}/pid;
    error_log ${folder}/errors.log info;
    events {}
    http { access_log ${folder}/everything.log; ${temp.join(' ')} include ${folder}/tabir.conf; }`
  writeFileSync(join(folder, 'nginx.conf'), around)
  const args = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'errors.log')]
  const checked = spawnSync(program ?? '', [...args, '-t'], { encoding: 'utf8' })
  t.equal(checked.status, 0, checked.stderr)
  const child: ChildProcess = spawn(program ?? '', args, { stdio: 'ignore' })
  t.teardown(async () => {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
  })
  const ask = (path: string, options: RequestOptions = {}) =>
    httpsRequest({
      ...options,
      host: '127.0.0.1',
      port,
      path,
      rejectUnauthorized: false,
      agent: false,
      headers: { 'x-forwarded-for': '203.0.113.9', ...(options.headers as Record<string, string>) },
    })
  await until(async () => (await statusOf(ask('/docs')).catch(() => undefined)) === 404)
  return { folder, ask }
}
