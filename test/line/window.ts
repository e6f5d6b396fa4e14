// A window whose clock stands until it is told to move on: no test waits for the patience of the page, and nothing is too slow for it.

import type { BrowserContext, Page } from 'playwright-core'

declare global {
  /** Moves the clock of the page on: what is due then happens, in its order. */
  var passTime: ((ms: number) => Promise<void>) | undefined
}

export async function openWindow(context: BrowserContext): Promise<Page> {
  context.setDefaultTimeout(20_000)
  await context.addInitScript(standingClock)
  const page = await context.newPage()
  page.on('dialog', (dialog) => void dialog.accept().catch(() => {}))
  return page
}

/** Runs in the page, before its own script. */
function standingClock(): void {
  const timers = new Map<number, { readonly atMs: number; readonly act: () => void }>()
  const date = Date.now.bind(Date)
  let [nowMs, lastId] = [0, 0]
  const later = (act: () => void, ms = 0) => {
    timers.set(++lastId, { atMs: nowMs + ms, act })
    return lastId
  }
  Reflect.set(globalThis, 'setTimeout', later)
  Reflect.set(globalThis, 'clearTimeout', (id: number) => timers.delete(id))
  Date.now = () => date() + nowMs
  AbortSignal.timeout = (ms) => {
    const aborting = new AbortController()
    later(() => aborting.abort(new DOMException('too long', 'TimeoutError')), ms)
    return aborting.signal
  }
  globalThis.passTime = async (ms) => {
    const endMs = nowMs + ms
    for (;;) {
      const [next] = [...timers].filter(([, { atMs }]) => atMs <= endMs).sort(([, a], [, b]) => a.atMs - b.atMs)
      if (next === undefined) break
      const [id, { atMs, act }] = next
      timers.delete(id)
      nowMs = Math.max(nowMs, atMs)
      act()
      await null // what waited for it may set the next one
    }
    nowMs = endMs
  }
}

/** As a person would: what is not there, hidden or disabled cannot be pressed. */
export async function press(page: Page, selector: string): Promise<void> {
  await page.evaluate((wanted) => {
    const element = [...document.querySelectorAll<HTMLElement>(wanted)].find((each) => each.offsetParent !== null)
    if (element === undefined || element.matches(':disabled')) throw new Error(`cannot press ${wanted}`)
    element.click()
  }, selector)
}

export async function type(page: Page, selector: string, text: string): Promise<void> {
  await page.evaluate(
    ([wanted, value]) => {
      const input = document.querySelector<HTMLInputElement>(wanted ?? '')
      if (input === null || input.offsetParent === null) throw new Error(`cannot type into ${wanted}`)
      input.value = value ?? ''
    },
    [selector, text],
  )
}
