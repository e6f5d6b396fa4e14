import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createOutgoing, type DialTarget, OutgoingError, type OutgoingOptions, openSocket } from '../../src/net/outgoing.js'

const TIMEOUT_MS = 60_000

/** Receives every request that is not refused, and records what was dialled. */
async function receiver(t: Test, answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const requests: { host: string | undefined; url: string | undefined; body: string; authorization: string | undefined }[] =
    []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const { host, authorization } = request.headers
    requests.push({ host, url: request.url, body, authorization })
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const dialled: DialTarget[] = []
  const dial = (target: DialTarget) => {
    dialled.push(target)
    return connect(port, '127.0.0.1')
  }
  const through = (options: Partial<OutgoingOptions> = {}) =>
    createOutgoing({ trusted: new Set(), dial, resolve: async () => ['8.8.8.8'], ...options })
  return { requests, dialled, dial, port, origin: `http://127.0.0.1:${port}`, through }
}

async function failure(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'none'
  } catch (error) {
    return error instanceof OutgoingError ? error.failure : String(error)
  }
}

const ok = (_: IncomingMessage, response: ServerResponse) => void response.end('fine')
const get = (url: string) => ({ method: 'GET', url, timeoutMs: TIMEOUT_MS, maxAnswerBytes: 1000 }) as const

t.test('a request goes to a checked public address of its host', async (t) => {
  const { requests, dialled, through } = await receiver(t, ok)
  const send = through({ resolve: async () => ['10.0.0.1', '8.8.8.8', '::1', '2606:4700::1'] })

  const answer = await send({
    ...get('https://hooks.example:8443/a?b=c'),
    method: 'POST',
    body: 'hé',
    headers: { authorization: 'x' },
  })

  t.match(answer, { status: 200, body: Buffer.from('fine') })
  t.same(requests, [{ host: 'hooks.example:8443', url: '/a?b=c', body: 'hé', authorization: 'x' }])
  t.same(dialled, [{ host: 'hooks.example', port: 8443, isTls: true, addresses: ['8.8.8.8', '2606:4700::1'] }])
})

t.test('a host without a public address is not called', async (t) => {
  const { dialled, through } = await receiver(t, ok)
  for (const addresses of [['127.0.0.1'], ['169.254.169.254', '::ffff:8.8.8.8', 'fd00::1'], [], ['nonsense']]) {
    t.equal(await failure(through({ resolve: async () => addresses })(get('https://hooks.example/'))), 'no-public-address')
  }
  const broken = through({ resolve: async () => Promise.reject(new Error('no name server')) })
  t.equal(await failure(broken(get('https://hooks.example/'))), 'unreachable')
  t.equal(await failure(through()(get('https://127.0.0.1/'))), 'url-refused')
  t.same(dialled, [])
})

t.test('if only trusted origins are allowed, another host is not resolved, by a redirect either', async (t) => {
  const { dialled, origin, through } = await receiver(t, (request, response) => {
    if (request.url === '/away') response.writeHead(302, { location: 'https://other.example/' }).end()
    else response.end('fine')
  })
  let lookedUp = 0
  const resolve = async () => {
    lookedUp++
    return ['8.8.8.8']
  }
  const send = through({ reach: 'trusted', trusted: new Set([origin]), resolve })

  t.match(await send(get(`${origin}/`)), { status: 200 })
  t.equal(await failure(send(get('https://hooks.example/'))), 'url-refused')
  t.equal(await failure(send({ ...get(`${origin}/away`), maxRedirects: 3 })), 'url-refused')
  t.equal(lookedUp, 0)
  t.equal(dialled.length, 2, 'only the trusted origin, twice')
})

t.test('a name is resolved once, and the connection goes to the checked address (no DNS rebinding)', async (t) => {
  const { dialled, through } = await receiver(t, ok)
  let asked = 0
  const send = through({ resolve: async () => (asked++ === 0 ? ['8.8.8.8'] : ['127.0.0.1']) })

  await send(get('https://rebind.example/'))
  t.equal(asked, 1)
  t.same(dialled[0]?.addresses, ['8.8.8.8'])
  t.equal(await failure(send(get('https://rebind.example/'))), 'no-public-address')
})

t.test('a socket is opened to the given address without resolving the name', async (t) => {
  const { requests, port, through } = await receiver(t, ok)
  // No name server knows these names, so resolving them would fail.
  const dial = ({ host }: DialTarget) => openSocket({ host, port, isTls: false, addresses: ['127.0.0.1'] })

  t.equal((await through({ dial })(get('https://hooks.example/'))).status, 200)
  t.same(
    requests.map(({ host }) => host),
    ['hooks.example'],
  )
})

t.test('a certificate must be for the requested name and from a trusted authority', async (t) => {
  const file = (name: string) => readFileSync(join(import.meta.dirname, '../../../test/data', name), 'utf8')
  const cert = file('hooks-example.cert.pem')
  const server = createTlsServer({ cert, key: file('hooks-example.key.pem') }, (_, response) => response.end('fine'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const send = (host: string, ca?: string) =>
    createOutgoing({
      trusted: new Set(),
      resolve: async () => ['8.8.8.8'],
      dial: (target) => openSocket({ ...target, port, addresses: ['127.0.0.1'] }, ca),
    })(get(`https://${host}/`))

  t.equal((await send('hooks.example', cert)).body.toString(), 'fine')
  t.equal(await failure(send('other.example', cert)), 'certificate-refused')
  t.equal(await failure(send('hooks.example')), 'certificate-refused')
})

t.test('a redirect is returned, or followed if allowed with each step checked like the first', async (t) => {
  const steps = new Map([
    ['/public', 'https://other.example/end'],
    ['/house', 'https://169.254.169.254/latest/meta-data/'],
    ['/mapped', 'https://[::ffff:127.0.0.1]/'],
    ['/down', 'http://hooks.example/end'],
    ['/named', 'https://inside.example/'],
    ['/loop', '/loop'],
    ['/near', '/end'],
  ])
  const { requests, through, origin } = await receiver(t, (request, response) => {
    const location = steps.get(request.url ?? '')
    response.writeHead(location === undefined ? 200 : 302, location === undefined ? {} : { location }).end()
  })
  const resolve = async (name: string) => [name === 'inside.example' ? '10.0.0.1' : '8.8.8.8']
  const send = through({ resolve })
  const follow = (path: string) =>
    send({ ...get(`https://hooks.example${path}`), maxRedirects: 2, headers: { authorization: 'x' } })

  t.equal((await send(get('https://hooks.example/house'))).status, 302)
  t.equal((await follow('/public')).status, 200)
  t.match(requests.at(-1), { host: 'other.example', authorization: undefined })
  t.equal((await follow('/near')).status, 200)
  t.match(requests.at(-1), { host: 'hooks.example', authorization: 'x' })
  for (const path of ['/house', '/mapped', '/down']) t.equal(await failure(follow(path)), 'url-refused', path)
  t.equal(await failure(follow('/named')), 'no-public-address')
  t.equal(await failure(follow('/loop')), 'too-many-redirects')

  steps.set('/trusted', `${origin}/end`)
  const trusting = through({ resolve, trusted: new Set([origin]) })
  t.equal((await trusting(get(`${origin}/end`))).status, 200, 'a trusted origin is called')
  t.equal(await failure(trusting({ ...get('https://hooks.example/trusted'), maxRedirects: 2 })), 'url-refused')
})

t.test('an answer is cut off at its limit of bytes, whatever length it declares', async (t) => {
  const { through } = await receiver(t, (request, response) => {
    if (request.url === '/endless') {
      const more = () => response.write(Buffer.alloc(65_536), () => response.destroyed || setImmediate(more))
      more()
    } else response.end(Buffer.alloc(1000))
  })
  const send = through()

  t.equal((await send(get('https://hooks.example/'))).body.length, 1000)
  t.equal(await failure(send({ ...get('https://hooks.example/'), maxAnswerBytes: 999 })), 'answer-too-large')
  t.equal(await failure(send(get('https://hooks.example/endless'))), 'answer-too-large')
  const unread = await send({ method: 'GET', url: 'https://hooks.example/endless', timeoutMs: TIMEOUT_MS })
  t.match(unread, { status: 200, body: Buffer.alloc(0) }, 'without a limit only the status is read')
})

t.test('a server that is silent at any stage is given up after the timeout', async (t) => {
  const { through } = await receiver(t, (request, response) => {
    if (request.url === '/drip') response.write('a')
  })
  const timeoutMs = 60
  const cases = {
    'name server': through({ resolve: () => new Promise(() => {}) })({ ...get('https://hooks.example/'), timeoutMs }),
    status: through()({ ...get('https://hooks.example/'), timeoutMs }),
    body: through()({ ...get('https://hooks.example/drip'), timeoutMs }),
  }
  const failures = Object.entries(cases).map(async ([stage, work]) => [stage, await failure(work)])
  t.same(await Promise.all(failures), [
    ['name server', 'timed-out'],
    ['status', 'timed-out'],
    ['body', 'timed-out'],
  ])

  const ending = AbortSignal.abort()
  t.equal(await failure(through()({ ...get('https://hooks.example/'), signal: ending })), 'unreachable', 'aborted')
})

t.test('bytes that are not HTTP and closed connections give one failure without details', async (t) => {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {})
    socket.resume().end('SSH-2.0-OpenSSH_9.9\r\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const send = createOutgoing({ trusted: new Set([`http://127.0.0.1:${port}`, `https://127.0.0.1:${port}`]) })

  t.equal(await failure(send(get(`http://127.0.0.1:${port}/secret`))), 'unreachable')
  t.equal(await failure(send(get(`https://127.0.0.1:${port}/secret`))), 'unreachable', 'a server without TLS')
  const error: unknown = await send(get(`http://127.0.0.1:${port}/secret`)).catch((thrown: unknown) => thrown)
  t.notMatch(String(error), /secret|127/)
  server.close()
  await once(server, 'close')
  t.equal(await failure(send(get(`http://127.0.0.1:${port}/`))), 'unreachable', 'a closed port')
})
