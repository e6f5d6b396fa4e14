// Starts a real Chromium, if there is one.

import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const executablePath = PLACES.find((place) => existsSync(place))

/** The same engine without windows, tabs and an address bar. Debian: apt-get install chromium-headless-shell. */
const SHELL = '/usr/lib/chromium/chromium-headless-shell'

/** For tap's `skip`: the reason, or `false` if there is a Chromium. */
export const withoutBrowser = executablePath === undefined ? 'needs Chromium (apt-get install chromium)' : false

/**
 * Features of the address bar. Chromium loads two pages for its suggestions in each new window: two fifths of the cost of a window, and tests do not
 * need them.
 */
const ADDRESS_BAR = ['WebUIOmniboxPopup', 'WebUIOmniboxAimPopup']

/** Features that Playwright disables in Chromium on Linux. Chromium uses only the last such list, so ours must include them. */
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

/** Root has no sandbox, and containers have little shared memory. */
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
 * The headless shell, for many cases of one page: it needs a third less processor time per case. The only difference that the tests could notice is
 * that it loads no page icons. Chromium itself if there is no shell.
 */
export function launchShell(): Promise<Browser> {
  return launch(existsSync(SHELL) ? SHELL : executablePath)
}

/** As somebody sets it who needs letters of twice the size. */
export function launchLarge(): Promise<Browser> {
  return launch(executablePath, ['--blink-settings=defaultFontSize=32'])
}

function launch(executablePath: string | undefined, more: readonly string[] = []): Promise<Browser> {
  if (executablePath === undefined) throw new Error('there is no Chromium')
  return chromium.launch({ executablePath, args: [...FLAGS, ...more] })
}
