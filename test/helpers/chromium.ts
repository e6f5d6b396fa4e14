// A real Chromium, where there is one.

import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const executablePath = PLACES.find((place) => existsSync(place))

/** The same engine without windows, tabs and an address bar. Debian: apt-get install chromium-headless-shell. */
const SHELL = '/usr/lib/chromium/chromium-headless-shell'

/** For tap's `skip`: why, or `false` when there is a Chromium. */
export const withoutBrowser = executablePath === undefined ? 'needs Chromium (apt-get install chromium)' : false

/**
 * What lists suggestions under the address bar is two pages, which Chromium loads for each new window: two fifths of what a window costs, and nobody
 * sees it here.
 */
const ADDRESS_BAR = ['WebUIOmniboxPopup', 'WebUIOmniboxAimPopup']

/** What Playwright leaves out of Chromium, as far as it is in Linux's: the last list counts, so that ours has to name those as well. */
const LEFT_OUT_BY_PLAYWRIGHT = [
  'AimEnabled',
  'AvoidCorsURLLoaderRestartOnRedirect',
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsFirstBalancedModeAutoEnable',
  'HttpsUpgrades',
  'LensOverlay',
  'MediaRouter',
  'NetworkTimeServiceQuerying',
  'OptimizationHints',
  'PaintHolding',
  'PreconnectToSearch',
  'ThirdPartyStoragePartitioning',
]

/** As root and in containers there is neither a sandbox nor much shared memory. */
const FLAGS = [
  '--no-sandbox',
  '--disable-dev-shm-usage',
  '--disable-gpu',
  `--disable-features=${[...LEFT_OUT_BY_PLAYWRIGHT, ...ADDRESS_BAR].join()}`,
]

export function launchChromium(): Promise<Browser> {
  return launch(executablePath)
}

/**
 * For many cases of one page: a third less of processor time each. It loads no icon of a page, and in nothing else that the tests of the page
 * compare does it differ. Where there is none it is Chromium.
 */
export function launchShell(): Promise<Browser> {
  return launch(existsSync(SHELL) ? SHELL : executablePath)
}

function launch(executablePath: string | undefined): Promise<Browser> {
  if (executablePath === undefined) throw new Error('there is no Chromium')
  return chromium.launch({ executablePath, args: FLAGS })
}
