import { createHash } from 'node:crypto'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import t from 'tap'
import { LANGUAGE_TAGS, LANGUAGES } from '../../src/domain/languages.js'
import { codeOf, startService } from '../helpers/service.js'

const PAGES = ['/', '/case', '/how-it-works'] as const

/** Shared by tests that need no options. */
const usual = startService(t)

t.test('every page is served in every language, complete and not cacheable', async (t) => {
  const { app } = await usual
  for (const url of PAGES) {
    for (const { tag: language, direction } of LANGUAGES) {
      const response = await app.inject({ url: `${url}?lang=${language}` })
      t.equal(response.statusCode, 200)
      t.match(response.headers, {
        'content-type': 'text/html; charset=utf-8',
        'content-language': language,
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      })
      t.match(response.body, new RegExp(`<html lang="${language}" dir="${direction}">`))
      t.notMatch(response.body, /\{\{|undefined/, 'no placeholder is left')
      t.notHas(response.headers, 'set-cookie')
    }
  }
})

t.test('a page’s language follows Accept-Language, and the lang parameter overrides it', async (t) => {
  const { app } = await usual
  const languageOf = async (url: string, header: string) =>
    (await app.inject({ url, headers: { 'accept-language': header } })).headers['content-language']
  t.equal(await languageOf('/', 'ta-MY,en;q=0.5'), 'ta')
  t.equal(await languageOf('/?lang=ms', 'ta-MY,en;q=0.5'), 'ms')
  t.equal(await languageOf('/?lang=%3Cscript%3E&lang=x', 'zh-CN'), 'zh-Hans')
})

t.test('a page runs one script and one style, pinned by hash, and loads its own origin only', async (t) => {
  const { app } = await usual
  for (const url of [...PAGES, '/console']) {
    const { body, headers } = await app.inject({ url })
    const [script, ...otherScripts] = [...body.matchAll(/<script type="module" src="([^"]+)" integrity="([^"]+)"/g)]
    const [style, ...otherStyles] = [...body.matchAll(/<style>([\s\S]*?)<\/style>/g)]
    t.same([...otherScripts, ...otherStyles], [], url)
    const file = await app.inject({ url: `/${script?.[1]}` })
    t.equal(file.headers['cache-control'], 'no-store', 'a cached script would show that the page was opened')
    const scriptHash = sha384(file.rawPayload)
    t.equal(script?.[2], scriptHash)
    const only = `default-src 'none'; script-src '${scriptHash}'; style-src '${sha384(style?.[1] ?? '')}'; img-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; worker-src 'self'; media-src blob:; trusted-types tabir`
    t.equal(headers['content-security-policy'], only)
    t.equal(headers['integrity-policy'], 'blocked-destinations=(script)')
    t.equal(headers['cache-control'], 'no-store')
    t.notMatch(
      body.replace(/<style>[\s\S]*?<\/style>/, ''),
      /<script(?![^>]* src=)(?! type="application\/json")|<style|<link rel="stylesheet|\son\w+=|\sstyle=/,
      'nothing without a hash',
    )
  }
})

t.test('a page has relative addresses only, so that it works below a path', async (t) => {
  const { app } = await usual
  for (const url of [...PAGES, '/console']) {
    const { body } = await app.inject({ url })
    t.match(body, /src="(assets\/|\?script=page-)/, url)
    t.notMatch(body, /(href|src)="\/|"\/(assets|v1)\//, url)
  }
})

t.test('the worker that reads pictures cannot connect anywhere', async (t) => {
  const { app } = await usual
  const worker = await app.inject({ url: workerIn((await app.inject({ url: '/' })).body) })
  t.equal(
    worker.headers['content-security-policy'],
    "default-src 'none'; script-src 'wasm-unsafe-eval'; require-trusted-types-for 'script'; trusted-types 'none'",
  )
})

t.test('assets are compressed only as Accept-Encoding allows, with the same content', async (t) => {
  const { app } = await usual
  const plain = await app.inject({ url: '/' })
  for (const url of ['/', workerIn(plain.body)]) {
    const identity = await app.inject({ url })
    const br = await app.inject({ url, headers: { 'accept-encoding': 'gzip, br' } })
    const gzip = await app.inject({ url, headers: { 'accept-encoding': 'gzip' } })
    t.equal(br.headers['content-encoding'], 'br')
    t.equal(gzip.headers['content-encoding'], 'gzip')
    t.notHas(identity.headers, 'content-encoding')
    t.ok(identity.rawPayload.equals(brotliDecompressSync(br.rawPayload)))
    t.ok(identity.rawPayload.equals(gunzipSync(gzip.rawPayload)))
    t.match(br.headers['vary'], /Accept-Encoding/)
  }
})

t.test('only built files are served, and other paths get 404', async (t) => {
  const { app } = await usual
  for (const url of [
    '/assets/',
    '/assets/page.js',
    '/assets/..%2Fmanifest.json',
    '/assets/%2e%2e%2f%2e%2e%2fpackage.json',
    '/assets/__proto__',
    `/assets/${'x'.repeat(400)}`,
    '/assets/manifest.json',
    '/?script=page.js',
    '/?script=..%2Fmanifest.json',
    '/index.html',
  ]) {
    const response = await app.inject({ url })
    t.equal(response.statusCode, 404, url)
    t.equal(codeOf(response), 'route-unknown', url)
  }
  t.equal((await app.inject({ method: 'POST', url: '/' })).statusCode, 405)
  t.equal((await app.inject({ method: 'HEAD', url: '/' })).statusCode, 200)
})

t.test('without JavaScript the page says why and shows the operator’s contact, if there is one', async (t) => {
  const { app } = await startService(t, { site: { contact: { name: '<b>Helpers & Co</b>', link: 'tel:+60312345678' } } })
  const { body } = await app.inject({ url: '/' })
  const unscripted = /<div id="unscripted">([\s\S]*)<\/div>/.exec(body)?.[1]
  t.match(unscripted, /needs JavaScript/)
  t.match(unscripted, /&#60;b&#62;Helpers &#38; Co&#60;\/b&#62;<\/strong>, <a href="tel:\+60312345678"/)

  const without = await startService(t, { site: { contact: undefined } })
  t.notMatch((await without.app.inject({ url: '/' })).body, /class="contact"/)
})

t.test('the page lists the hotlines of the configured country and worldwide ones', async (t) => {
  for (const [country, shown, hidden] of [
    ['MY', /15999/, /0800 1111/],
    ['GB', /0800 1111/, /15999/],
    ['FR', /takeitdown\.ncmec\.org/, /15999|0800 1111/],
  ] as const) {
    const { app } = await startService(t, { site: { country } })
    const { body } = await app.inject({ url: '/' })
    t.match(body, shown, country)
    t.notMatch(body, hidden, country)
  }
})

t.test('each hotline names its country in the language of the page', async (t) => {
  const { app } = await startService(t, { site: { country: undefined } })
  for (const [language, childlines] of [
    ['en', [/Childline<\/strong> \(United Kingdom\)/, /Childline 1098<\/strong> \(India\)/]],
    ['ms', [/Cybertip\.ca<\/strong> \(Kanada\)/, /Take It Down<\/strong> \(di mana-mana\)/]],
    ['ta', [/Talian Kasih<\/strong> \(மலேசியா\)/]],
    ['zh-Hans', [/Childline<\/strong> \(英国\)/]],
  ] as const) {
    const { body } = await app.inject({ url: `/help?lang=${language}` })
    const lists = [...body.matchAll(/<ul class="hotlines">(.*?)<\/ul>/g)].map(([, list]) => list).join('')
    for (const labelled of childlines) t.match(lists, labelled, language)
    t.equal(lists.match(/<\/strong> \([^)]+\)<br>/g)?.length, lists.match(/<li>/g)?.length, `${language}: every helpline`)
  }
})

t.test(
  'help is a page without a script: the own country first, the others to open, each in the language of the page',
  async (t) => {
    const { app } = await startService(t, { site: { country: 'KR' } })
    for (const language of LANGUAGE_TAGS) {
      const { body } = await app.inject({ url: `/help?lang=${language}` })
      const main = body.slice(body.indexOf('<main'), body.indexOf('<div id="unscripted">'))
      const shown = main.slice(0, main.indexOf('<details>'))
      t.notMatch(main, / hidden|<script|\{\{/, language)
      t.match(body, /<section class="card warn" hidden>/, 'it does not say that it cannot work')
      t.equal(shown.match(/href="tel:1366"/g)?.length, 2, `${language}: for adults and for people under 18`)
      for (const worldwide of [/stopncii\.org/, /takeitdown\.ncmec\.org/]) t.match(shown, worldwide, language)
      t.notMatch(shown, /15999/, language)
      const names = [...main.matchAll(/<details><summary>([^<]+)<\/summary>/g)].map(([, name]) => name)
      const countryNames = new Intl.DisplayNames(language, { type: 'region' })
      for (const country of ['MY', 'DE', 'TL']) t.ok(names.includes(countryNames.of(country)), `${language}: ${country}`)
      t.notOk(names.includes(countryNames.of('KR')), `${language}: not twice`)
      t.notMatch(main, /<h3>[^<]+<\/h3>(<h3>|<\/details>)/, `${language}: a country without helplines says so`)
    }
    const { body } = await app.inject({ url: '/?lang=en' })
    t.equal(
      body.match(/href="help\?lang=en(#under18)?"/g)?.length,
      4,
      'the first page leads to it: for a threat, other countries, without a script, below',
    )
  },
)

function workerIn(body: string): string {
  return `/${/"worker":"([^"]+)"/.exec(body)?.[1]}`
}

function sha384(content: string | Buffer): string {
  return `sha384-${createHash('sha384').update(content).digest('base64')}`
}
