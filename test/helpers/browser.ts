// A real Chromium that visits a whole api. Tests are skipped, with the reason, if there is none.

import type { AddressInfo } from 'node:net'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import root, { type Test } from 'tap'
import { launchChromium, launchLarge, launchShell, withoutBrowser } from './chromium.js'
import { scene } from './pictures.js'
import { startService, type TestService, type TestServiceOptions } from './service.js'
import type { GivenFile } from './steps.js'

export { withoutBrowser }

/** A maximum for busy machines: waiting ends as soon as the condition holds. */
const SLOW_MS = 100_000

const LAUNCH = { shell: launchShell, chromium: launchChromium, large: launchLarge }
type BrowserName = keyof typeof LAUNCH
const opened = new Map<BrowserName, Promise<Browser>>()

/** One browser for a whole file and all its services. Each visit has its own window. */
function browserNamed(name: BrowserName): Promise<Browser> {
  const browser = opened.get(name) ?? LAUNCH[name]()
  opened.set(name, browser)
  return browser
}

root.teardown(() => Promise.all([...opened.values()].map(async (browser) => (await browser).close())))

export interface Site extends TestService {
  readonly url: string
  /**
   * A new window without cookies or history. Its errors are in `faults`. The headless shell needs less
   * processor time and loads no page icons.
   * @param address a path, or the whole address of a proxy in front of the service
   */
  visit(address: string, options?: BrowserContextOptions, browser?: BrowserName): Promise<Visit>
}

export interface Visit {
  readonly page: Page
  readonly context: BrowserContext
  /** Exceptions, and what the browser blocked. */
  readonly faults: string[]
}

export async function startSite(t: Test, options: TestServiceOptions = {}): Promise<Site> {
  const service = await startService(t, options)
  await service.app.listen({ host: '127.0.0.1', port: 0 })
  const address = service.app.server.address()
  const url = `http://127.0.0.1:${isAddress(address) ? address.port : 0}`
  const contexts: BrowserContext[] = []
  // Before the service closes, which would wait for open connections of its pages.
  t.teardown(() => Promise.all(contexts.map((context) => context.close())))
  return {
    ...service,
    url,
    async visit(address, contextOptions = {}, browser = 'shell') {
      const context = await (await browserNamed(browser)).newContext({ locale: 'en', ...contextOptions })
      contexts.push(context)
      context.setDefaultTimeout(SLOW_MS)
      const page = await context.newPage()
      const faults: string[] = []
      page.on('pageerror', (error) => faults.push(String(error)))
      page.on('console', (message) => {
        if (message.type() === 'error' && !message.text().includes('Failed to load resource')) faults.push(message.text())
      })
      await page.goto(new URL(address, url).href)
      return { page, context, faults }
    },
  }
}

/** One site for all tests of a process that need no own service. Each visit has its own window. */
let usual: Promise<Site> | undefined

export function usualSite(): Promise<Site> {
  usual ??= startSite(root)
  return usual
}

/** The same for a file that needs its own service. It starts with the first test that asks, so never without a Chromium. */
export function sharedSite(t: Test, options: TestServiceOptions): () => Promise<Site> {
  let site: Promise<Site> | undefined
  return () => {
    site ??= startSite(t, options)
    return site
  }
}

function isAddress(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null
}

export async function pictureFile(
  seed: number,
  options: Parameters<typeof scene>[1] = {},
  name?: string,
): Promise<GivenFile> {
  const { name: usual, contentType, bytes } = await scene(seed, options)
  return { name: name ?? usual, mimeType: contentType, buffer: bytes }
}

/** The number of images of a case, queried with its token. */
export async function imagesOf(site: Site, { caseNumber, pin }: { caseNumber: string; pin: string }): Promise<number> {
  const token = await site.app.inject({ method: 'POST', url: `/v1/cases/${caseNumber}/tokens`, payload: { pin } })
  const headers = { authorization: `Bearer ${token.json<{ token: string }>().token}` }
  return (await site.app.inject({ url: `/v1/cases/${caseNumber}`, headers })).json<{ images: number }>().images
}
