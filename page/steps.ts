// The steps of a page, and the way through them in the history of its tab: Back shows the step before, with all that was done. Nobody who has left
// comes back to them: they are taken out of the way first.

/** Happens to the window with each step. */
export const STEP = 'step'
let goings = 0

/** From the first step to the one that is shown. It stands in each entry of the history, so that Forward finds its way as well. */
let trail: readonly string[] = []
/** How many entries there may be, those included that Back has left. */
let entries = 1
/** While this page goes back by itself. */
let isMoving = false
let moved: Promise<void> = Promise.resolve()

const FIRST = '[data-step]:not([hidden])'
const MARKED = 'left'
const MOVED_TIMEOUT_MS = 500

/**
 * Has Back show the step before.
 * @param stepFor the step to show in place of one that is come back to, which may be over.
 */
export function watchSteps(stepFor: (wanted: string) => string): void {
  const depth = trailIn(history.state).length - 1
  history.scrollRestoration = 'manual'
  trail = [document.querySelector<HTMLElement>(FIRST)?.dataset['step'] ?? '']
  if (depth > 0)
    goBack(depth) // loaded anew at a later step, of which nothing is left
  else history.replaceState({ trail }, '')
  addEventListener('popstate', ({ state }) => {
    if (isMoving) return
    trail = trailIn(state)
    const wanted = trail.at(-1) ?? ''
    const step = stepFor(wanted)
    if (step !== wanted) stayAt(step)
    else show(step)
  })
}

/**
 * Shows one step in place of the others. One that she came through is gone back to.
 * @param over the step that it follows: those between are over, and Back does not lead to them.
 */
export function goTo(step: string, over: string = trail.at(-1) ?? ''): void {
  const known = trail.lastIndexOf(step)
  const last = known === -1 ? Math.max(0, trail.lastIndexOf(over)) : known
  goBack(trail.length - 1 - last)
  trail = trail.slice(0, last + 1)
  if (known === -1) {
    trail = [...trail, step]
    const entry = { trail }
    whenMoved(() => history.pushState(entry, ''))
    entries = trail.length
  }
  show(step)
}

/** Shows a step in the place of the one that is shown. */
export function stayAt(step: string): void {
  trail = [...trail.slice(0, -1), step]
  const entry = { trail }
  whenMoved(() => history.replaceState(entry, ''))
  show(step)
}

export function isAt(step: string): boolean {
  return document.querySelector<HTMLElement>(`[data-step="${step}"]`)?.hidden === false
}

/** @returns whether she is still where she is now, and has not been elsewhere meanwhile. */
export function staying(): () => boolean {
  const before = goings
  return () => goings === before
}

/**
 * Another page takes the place of all steps: Back leads past them. What lies behind in the direction of Forward is marked, so that it leads out as
 * well (`wasLeft`). A browser that does not move in time is led out from where it is.
 */
export async function leaveTo(url: string): Promise<void> {
  const late = setTimeout(() => location.replace(url), MOVED_TIMEOUT_MS)
  await moved
  let behind = trail.length - 1
  if (entries > trail.length) {
    history.pushState({ [MARKED]: true }, '') // in place of all that Back has left
    behind++
  }
  for (; behind > 0; behind--) {
    history.replaceState({ [MARKED]: true }, '')
    await traversed(1)
  }
  clearTimeout(late)
  location.replace(url)
}

/** Is this an entry that somebody has left, and that Forward led back to? */
export function wasLeft(): boolean {
  return isObject(history.state) && Object.hasOwn(history.state, MARKED)
}

/** Leads keyboard and screen reader to its heading. */
function show(step: string): void {
  for (const section of document.querySelectorAll<HTMLElement>('[data-step]'))
    section.hidden = section.dataset['step'] !== step
  goings++
  dispatchEvent(new Event(STEP))
  scrollTo(0, 0)
  document.querySelector<HTMLElement>(`[data-step="${step}"] h1`)?.focus()
}

function goBack(by: number): void {
  if (by === 0) return
  isMoving = true
  moved = moved.then(() => traversed(by))
}

/** At once where nothing moves: what a press of hers adds to the history is hers, and browsers skip what is not. */
function whenMoved(change: () => void): void {
  if (isMoving) moved = moved.then(change)
  else change()
}

function traversed(by: number): Promise<void> {
  isMoving = true
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(late)
      removeEventListener('popstate', over)
      isMoving = false
      resolve()
    }
    addEventListener('popstate', over)
    const late = setTimeout(over, MOVED_TIMEOUT_MS)
    history.go(-by)
  })
}

function trailIn(state: unknown): readonly string[] {
  const found = isObject(state) && 'trail' in state ? state.trail : undefined
  return Array.isArray(found) ? found.map(String) : trail.slice(0, 1)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
