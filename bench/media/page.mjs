// Gives files to the page in a real Chromium, as a person does, and returns the answers of its worker.

import { chromium } from 'playwright-core'

/** Longer than the page waits for its worker. */
const TIMEOUT_MS = 120_000
/** As root and in containers there is neither a sandbox nor much shared memory. */
const FLAGS = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu']

/** @param {any} defer */
export async function openChromium(defer, executablePath) {
  const launch = () => chromium.launch({ executablePath, args: FLAGS })
  let browser = await launch()
  defer(() => browser.close())

  return {
    /**
     * A window of its own for each file: one that ends its window, or the whole browser, does not take the others with it.
     * @param url of the service. @param path of a file. By path, because bytes would come through the debugging port.
     * @returns `{ outcome, pdq }`: `hashed`, `upload` or the reason of a refusal, and PDQ of the view whole; or `{ failed }`.
     */
    async outcomeOf(url, path) {
      try {
        if (!browser.isConnected()) browser = await launch()
        const context = await browser.newContext({ locale: 'en' })
        try {
          return await outcomeIn(await context.newPage(), url, path)
        } finally {
          await context.close()
        }
      } catch (error) {
        return { failed: `no outcome: ${error.message.split('\n')[0]}` }
      }
    },
  }
}

async function outcomeIn(page, url, path) {
  page.setDefaultTimeout(TIMEOUT_MS)
  await page.addInitScript(noteOutcomes)
  await page.goto(url)
  await page.click('#adult')
  await page.check('#agree')
  await page.click('#consent-go')
  await page.setInputFiles('#files', path)
  const outcome = await page.waitForFunction(outcomeSoFar)
  return outcome.jsonValue()
}

/** Runs in the page, before its own script. */
function noteOutcomes() {
  const Native = globalThis.Worker
  globalThis.Worker = class extends Native {
    constructor(address, options) {
      super(address, options)
      this.addEventListener('message', ({ data }) => {
        // A file that this worker cannot open goes to one with a decoder of its own, where there is one: what that one answers counts.
        const { decoders = {} } = JSON.parse(document.getElementById('given')?.textContent ?? '{}')
        const isPassedOn = data.outcome?.because === 'format' && decoders[data.outcome.format] !== undefined
        if (isPassedOn && !String(address).includes(decoders[data.outcome.format])) return
        if (data.outcome !== undefined) globalThis.firstOutcome = globalThis.firstOutcome ?? data.outcome
      })
    }
  }
}

/** Runs in the page. Where the worker did not answer, what the page says of the file counts: it was too slow, or ended. */
function outcomeSoFar() {
  const answered = globalThis.firstOutcome
  if (answered !== undefined) {
    const pdq = answered.signals?.find(({ type, view }) => type === 'pdq' && view === 'whole')?.hash
    return { outcome: answered.kind === 'rejected' ? answered.why : answered.kind, pdq }
  }
  /** @type {HTMLElement | null} */
  const line = document.querySelector('#pictures li')
  if (line === null || line.dataset.state === 'busy') return false
  const text = line.querySelector('.state')?.textContent
  const { messages } = JSON.parse(document.getElementById('given')?.textContent ?? '{}')
  const name = Object.keys(messages).find((key) => /^run\.(why|state)\./.test(key) && messages[key] === text)
  return { outcome: name?.split('.').at(-1) ?? text }
}
