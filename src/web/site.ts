// The submitter's page: templates, messages and assets from build.mjs, filled with the operator's settings.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { ownValue } from '../../packages/core/src/own-value.js'
import { LANGUAGES, type Language } from '../domain/languages.js'
import type { MediaFormat } from '../domain/media/media-formats.js'
import { ASSET_HEADERS, documentHeaders, WORKER_HEADERS } from './headers.js'
import { helpMarkup, hotlineList } from './helpline-list.js'
import {
  type Contact,
  contactMarkup,
  factsFor,
  footLink,
  languageLinks,
  type Messages,
  PAGE_NAMES,
  type PageName,
  reportOptions,
} from './markup.js'
import { ENCODINGS, type Encoding } from './negotiate.js'
import { type Operator, type PrivacyNotice, privacyNotice } from './privacy-notice.js'
import { fill, jsonBlock } from './template.js'

export interface SiteSettings {
  /** Target of quick exit: a harmless page that anybody might have open. */
  readonly exitUrl: string
  /** ISO 3166-1 alpha-2: the country whose hotlines are shown. */
  readonly country: string | undefined
  /** An organisation that helps people who cannot use the page. */
  readonly contact: Contact | undefined
  /** Who runs the service. */
  readonly operator: Operator | undefined
  /** After how many days a case ends that is not renewed. */
  readonly retentionDays: number
  /** Platforms that take part, as the operator lists them. */
  readonly platformNames: readonly string[]
  /** Organisations that the page offers as contact of a notice, by the names that their keys have. */
  readonly noticeContacts: readonly string[]
  /** The operator's text above each page; empty shows none. */
  readonly banner: string
  readonly maxImageBytes: number
  readonly maxImages: number
  readonly maxVideoBytes: number
  readonly offersExtendedProtection: boolean
  /** Formats that the service does not read here: the page neither decodes them nor offers to send them. */
  readonly unread: readonly MediaFormat[]
}

/** An answer, in the encodings that a client may accept. */
export interface Served {
  readonly type: string
  readonly headers: Readonly<Record<string, string>>
  body(encoding: Encoding): Buffer
}

export interface Site {
  /**
   * Rendered when it is first asked for: all of them in all languages would take memory that most services never use.
   * @param language tag of one of `LANGUAGES`
   * @param takesVideos whether the page offers to send videos that the browser cannot decode.
   */
  page(name: PageName, language: string, takesVideos: boolean): Served
  /** `undefined` where the operator has not stated who runs the service. */
  readonly privacyNotice: PrivacyNotice | undefined
  /** The console for organisations and the operator, in English. */
  readonly console: Served
  asset(file: string): Served | undefined
}

/** What build.mjs records about a file under `assets/`. */
interface Asset {
  readonly file: string
  readonly integrity: string
}
type OwnAssets = Readonly<Record<'script' | 'worker' | 'icon' | 'console', Asset>>
type Manifest = OwnAssets & {
  /** Workers that decode a format by themselves, by format. */
  readonly decoders: Readonly<Record<string, Asset>>
}

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}
/** Prefix of messages that the script needs; all others are in the markup. */
const RUN_TIME = 'run.'
/** Those that the console says of a file, too. */
const OF_FILES = /^run\.(state|what|why)\./

/**
 * Reads the built site once; then it reads no file.
 * @param folder that build.mjs wrote: `dist/public`
 * @throws {Error} if the folder or a language's file is missing, or a page uses a message that a language lacks
 */
export function loadSite(folder: string, settings: SiteSettings): Site {
  const { decoders: built, ...manifest }: Manifest = JSON.parse(text(folder, 'manifest.json'))
  const decoders = Object.entries(built).filter(([format]) => !settings.unread.some((unread) => unread === format))
  const messages = new Map(LANGUAGES.map(({ tag }) => [tag as string, messagesIn(folder, tag)]))
  const [{ tag: defaultLanguage }] = LANGUAGES
  const parts = partsIn(folder)
  const style = text(folder, 'html/style.css')
  const headers = documentHeaders({ script: manifest.script.integrity, style: hashOf(style) })
  const hashing = { ...scriptsOf(manifest.worker, decoders), unread: settings.unread }
  const assets = assetsIn(folder, Object.values(manifest), [manifest.worker, ...decoders.map(([, asset]) => asset)])
  const { retentionDays, platformNames: platforms, banner } = settings
  const facts = { retentionDays, platforms, banner }
  const notice = settings.operator && privacyNotice({ operator: settings.operator, ...facts })
  for (const language of LANGUAGES) for (const name of PAGE_NAMES) render(name, language, true) // refuses to start with half a page
  const pages = new Map<string, Served>()

  return {
    privacyNotice: notice,
    page(name, tag, takesVideos) {
      const key = `${name} ${tag} ${takesVideos}`
      const language = LANGUAGES.find((each) => each.tag === tag)
      if (language === undefined) throw new Error(`there is no page in ${tag}`)
      const known = pages.get(key) ?? served(headers, 'text/html; charset=utf-8', render(name, language, takesVideos))
      pages.set(key, known)
      return known
    },
    console: consoleIn(folder, manifest, {
      language: defaultLanguage,
      ...hashing,
      messages: messagesOf(messages.get(defaultLanguage) ?? {}, (key) => OF_FILES.test(key)),
    }),
    asset: (file) => assets.get(file),
  }

  function render(name: PageName, language: Language, takesVideos: boolean): string {
    const own = messages.get(language.tag) ?? {}
    const base = { ...own, ...valuesFor(name, language, own, takesVideos) }
    const picker = fill(parts['picker'] ?? '', base)
    const sending = fill(parts['sending'] ?? '', base)
    const keep = fill(parts['keep'] ?? '', { ...base, keepHidden: name === 'case' ? ' hidden' : '' })
    return fill(parts['layout'] ?? '', { ...base, main: fill(parts[name] ?? '', { ...base, picker, sending, keep }) })
  }

  function valuesFor(name: PageName, { tag: language, ...its }: Language, own: Messages, takesVideos: boolean) {
    const contact = contactMarkup(settings.contact, own)
    return {
      page: name,
      language,
      languageName: its.name,
      direction: its.direction,
      style,
      exitUrl: settings.exitUrl,
      ...addressesFor(name, manifest),
      languageLinks: languageLinks(name, language),
      footLinks: PAGE_NAMES.map((other) => footLink(other, name, language, own)).join(''),
      hotlines: hotlineList(settings.country, language, own),
      ...(name === 'help' && helpMarkup(settings.country, language, own)), // each country in each language: slow
      reportOptions: reportOptions(language),
      contact,
      contactScripted: contact,
      ...factsFor(name, { notice, ...facts }, language, own),
      given: jsonBlock({
        language,
        direction: its.direction,
        exitUrl: settings.exitUrl,
        ...hashing,
        maxImageBytes: settings.maxImageBytes,
        maxImages: settings.maxImages,
        maxVideoBytes: takesVideos ? settings.maxVideoBytes : undefined,
        offersExtendedProtection: settings.offersExtendedProtection,
        consentVersion: notice?.version,
        ...{ platformNames: platforms, noticeContacts: settings.noticeContacts },
        messages: messagesOf(own, (key) => key.startsWith(RUN_TIME)),
      }),
    }
  }
}

/** Below a path without its last slash (`/tabir`), `assets/` would be asked of another site. A query never is, and the script adds the slash. */
function addressesFor(name: PageName, manifest: OwnAssets): Record<string, string> {
  return { ...flattened(manifest), ...(name === 'start' && { 'script.path': `?script=${manifest.script.file}` }) }
}

/** Addresses of the workers that hash. */
function scriptsOf(worker: Asset, decoders: readonly (readonly [format: string, asset: Asset])[]) {
  return {
    worker: `assets/${worker.file}`,
    decoders: Object.fromEntries(decoders.map(([format, { file }]) => [format, `assets/${file}`])),
  }
}

function messagesOf(own: Messages, isWanted: (key: string) => boolean): Messages {
  return Object.fromEntries(Object.entries(own).filter(([key]) => isWanted(key)))
}

function consoleIn(folder: string, manifest: OwnAssets, given: object): Served {
  const style = text(folder, 'html/console.css')
  return served(
    documentHeaders({ script: manifest.console.integrity, style: hashOf(style) }),
    'text/html; charset=utf-8',
    fill(text(folder, 'html/console.html'), { ...flattened(manifest), style, given: jsonBlock(given) }),
  )
}

/** The hash of content as a policy writes it. */
function hashOf(content: string): string {
  return `sha384-${createHash('sha384').update(content).digest('base64')}`
}

function partsIn(folder: string): Readonly<Record<string, string>> {
  const names = ['layout', 'picker', 'sending', 'keep', ...PAGE_NAMES]
  return Object.fromEntries(names.map((name) => [name, text(folder, `html/${name}.html`)]))
}

function messagesIn(folder: string, language: string): Messages {
  return JSON.parse(text(folder, `messages/${language}.json`))
}

function flattened(manifest: OwnAssets): Record<string, string> {
  return Object.fromEntries(
    Object.entries(manifest).flatMap(([name, { file, integrity }]) => [
      [`${name}.path`, `assets/${file}`],
      [`${name}.integrity`, integrity],
    ]),
  )
}

function assetsIn(folder: string, own: readonly Asset[], workers: readonly Asset[]): Map<string, Served> {
  return new Map([...own, ...workers].map((asset) => [asset.file, assetIn(folder, asset.file, workers.includes(asset))]))
}

function assetIn(folder: string, file: string, isWorker: boolean): Served {
  const bodies = Object.fromEntries(
    ENCODINGS.map((encoding) => [encoding, readFileSync(join(folder, 'assets', `${file}${SUFFIXES[encoding]}`))]),
  )
  const type = ownValue(TYPES, file.slice(file.lastIndexOf('.') + 1)) ?? 'application/octet-stream'
  return {
    type,
    headers: isWorker ? WORKER_HEADERS : ASSET_HEADERS,
    body: (encoding) => bodies[encoding] ?? Buffer.alloc(0),
  }
}

const SUFFIXES: Readonly<Record<Encoding, string>> = { br: '.br', gzip: '.gz', identity: '' }

/** Compressed on first use: compressing all languages would delay the start. */
function served(headers: Readonly<Record<string, string>>, type: string, content: string): Served {
  const made = new Map<Encoding, Buffer>()
  return {
    type,
    headers,
    body(encoding) {
      const known = made.get(encoding) ?? compressed(content, encoding)
      made.set(encoding, known)
      return known
    },
  }
}

function compressed(content: string, encoding: Encoding): Buffer {
  const bytes = Buffer.from(content)
  if (encoding === 'identity') return bytes
  if (encoding === 'gzip') return gzipSync(bytes, { level: 9 })
  return brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })
}

function text(folder: string, file: string): string {
  return readFileSync(join(folder, file), 'utf8')
}
