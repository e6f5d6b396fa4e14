import t from 'tap'
import { outgoingUrl } from '../../src/net/outgoing-url.js'

const NOBODY: ReadonlySet<string> = new Set()

t.test('a URL with a local or private host is refused in every spelling', async (t) => {
  const hosts = [
    ...['127.0.0.1', '127.1', '0x7f.0.0.1', '0177.0.0.1', '2130706433', '0x7f000001', '017700000001', '127.0.0.1.'],
    ...['0', '0.0.0.0', '1', '10.1', '169.254.169.254', '0xA9FEA9FE', '2852039166', '192.168.257'],
    ...['[::]', '[::1]', '[::ffff:127.0.0.1]', '[::ffff:a9fe:a9fe]', '[::127.0.0.1]', '[fd00::1]', '[fe80::1]'],
    ...['localhost', 'LOCALHOST', 'localhost.', 'a.localhost', 'redis', 'redis.', 'hma.local', 'metadata.google.internal'],
    ...[
      '①②⑦.0.0.1',
      '127。0。0。1',
      'ｌｏｃａｌｈｏｓｔ',
      'printer.home.arpa',
      'x.test',
      'x.onion',
      'a..example',
      'a.example..',
    ],
  ]
  for (const host of hosts) t.equal(outgoingUrl(`https://${host}/hook`, NOBODY), undefined, host)
})

t.test('an outgoing URL must be https, short and without credentials', async (t) => {
  const urls = [
    ...['http://hooks.example/', 'ftp://hooks.example/', 'file:///etc/passwd', 'gopher://hooks.example/', 'data:,x'],
    ...[
      'https://user@hooks.example/',
      'https://user:pass@hooks.example/',
      'https://127.0.0.1@hooks.example/',
      'hooks.example',
    ],
    ...['https://', 'https:///', '', ' ', 'https://hooks.example:99999/', `https://hooks.example/${'a'.repeat(2048)}`],
    ...['https://hooks.example\\@127.0.0.1/'].map((url) => url.replace('hooks.example', '127.0.0.1')),
  ]
  for (const url of urls) t.equal(outgoingUrl(url, NOBODY), undefined, url.slice(0, 60))
})

t.test('a public URL is normalised to the URL that will be called', async (t) => {
  t.equal(outgoingUrl('HTTPS://Hooks.Example:443/a?b#c', NOBODY)?.href, 'https://hooks.example/a?b')
  t.equal(outgoingUrl('https://bücher.example:8443/', NOBODY)?.href, 'https://xn--bcher-kva.example:8443/')
  t.equal(outgoingUrl('https://8.8.8.8/', NOBODY)?.href, 'https://8.8.8.8/')
  t.equal(outgoingUrl('https://[2606:4700::1]/', NOBODY)?.href, 'https://[2606:4700::1]/')
  t.equal(outgoingUrl('https://hooks.example./', NOBODY)?.href, 'https://hooks.example./')
})

t.test('a trusted origin may be local, and only exactly that origin', async (t) => {
  const trusted = new Set(['http://127.0.0.1:5000', 'https://hma'])

  t.equal(outgoingUrl('http://127.0.0.1:5000/h/hash', trusted)?.href, 'http://127.0.0.1:5000/h/hash')
  t.equal(outgoingUrl('https://hma/', trusted)?.href, 'https://hma/')
  for (const url of ['http://127.0.0.1:5001/', 'https://127.0.0.1:5000/', 'http://hma/', 'http://user@127.0.0.1:5000/']) {
    t.equal(outgoingUrl(url, trusted), undefined, url)
  }
})
