// Changes the language in place. A navigation would lose what the page holds in memory alone: chosen files, the token of a case, a number and PIN
// that are shown once.

import { notice, sayAgain } from './dom.js'
import { givenIn } from './given.js'
import { say, speak } from './messages.js'
import { isAtFirst } from './steps.js'

/** The parts that hold text, whatever the browser's extensions add elsewhere. */
const PARTS = ['title', '.skip', 'header', 'main', 'footer', '.leave']
/** Attributes that depend on the language. */
const ATTRIBUTES = ['aria-current', 'aria-label', 'data-empty', 'data-usual', 'href']
const TIMEOUT_MS = 30_000

/** Call before the script changes the page: by then the page is as the server wrote it, and so as it is in the other languages. */
export function watchLanguages(): void {
  const own = nodesIn(document)
  let latest: string | undefined
  for (const link of document.querySelectorAll<HTMLAnchorElement>('.languages a')) {
    link.addEventListener('click', (event) => {
      event.preventDefault()
      latest = link.href
      link.closest('details')?.removeAttribute('open')
      void change(link.href)
    })
  }
  addEventListener('popstate', keepAddress)

  async function change(href: string): Promise<void> {
    const page = await pageAt(href)
    if (latest !== href) return
    const theirs = page === undefined ? [] : nodesIn(page)
    if (page === undefined || !areAlike(own, theirs)) {
      if (page !== undefined && isAtFirst()) location.replace(href)
      else notice(say('run.languageAway'))
      return
    }
    for (const [k, node] of own.entries()) copy(theirs[k], node)
    document.documentElement.lang = page.documentElement.lang
    document.documentElement.dir = page.documentElement.dir
    speak(givenIn(page))
    sayAgain()
    keepAddress()
  }

  /** So that reloading keeps the language, at whichever step. */
  function keepAddress(): void {
    if (latest !== undefined && document.documentElement.lang === new URL(latest).searchParams.get('lang'))
      history.replaceState(history.state, '', latest)
  }
}

/** As a document, because the policy of the page forbids making one from text. Its scripts do not run. */
function pageAt(url: string): Promise<Document | undefined> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest()
    request.open('GET', url)
    request.responseType = 'document'
    request.timeout = TIMEOUT_MS
    request.addEventListener('loadend', () => {
      resolve(request.status === 200 ? (request.responseXML ?? undefined) : undefined)
    })
    request.send()
  })
}

/** Elements and texts in the order of the document, with those of templates. */
function nodesIn(page: Document): Node[] {
  return PARTS.flatMap((part) => {
    const root = page.querySelector(part)
    return root === null ? [] : nodesBelow(root)
  })
}

function nodesBelow(root: Node): Node[] {
  const children = root instanceof HTMLTemplateElement ? root.content.childNodes : root.childNodes
  return [root, ...Array.from(children, nodesBelow).flat()]
}

/** A newer release may have changed the page. */
function areAlike(own: readonly Node[], theirs: readonly Node[]): boolean {
  return own.length === theirs.length && own.every(({ nodeName }, k) => nodeName === theirs[k]?.nodeName)
}

/** What the script has replaced is no longer in the document, and changes unseen. */
function copy(from: Node | undefined, to: Node): void {
  if (to instanceof Text && from instanceof Text) to.data = from.data
  if (!(to instanceof Element) || !(from instanceof Element)) return
  for (const name of ATTRIBUTES) {
    const value = from.getAttribute(name)
    if (value === null) to.removeAttribute(name)
    else to.setAttribute(name, value)
  }
}
