// The steps of a page as entries in the history of its tab: Back shows the step before, with its input. Leaving the page removes its steps from
// the history first, so that nobody can come back to them.

/** Event on the window when another step is shown. */
export const STEP = 'step'
let stepChanges = 0

/** The steps from the first to the current one. Stored in each history entry, so that Forward works as well. */
let trail: readonly string[] = []
/** How many history entries there may be, including those that Back has left. */
let entries = 1
/** While this page goes back by itself. */
let isMoving = false
let moved: Promise<void> = Promise.resolve()

const FIRST = '[data-step]:not([hidden])'
const MARKED = 'left'
const MOVED_TIMEOUT_MS = 500

/**
 * Makes Back show the step before.
 * @param stepFor decides which step to show when Back or Forward lead to `wanted`, which may be over.
 */
export function watchSteps(stepFor: (wanted: string) => string): void {
  const depth = trailIn(history.state).length - 1
  history.scrollRestoration = 'manual'
  trail = [document.querySelector<HTMLElement>(FIRST)?.dataset['step'] ?? '']
  if (depth > 0)
    goBack(depth) // reloaded at a later step, whose input is lost
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
 * Shows one step in place of the others. Goes back in the history if the step is on the trail already.
 * @param over the step that it follows. Back skips the steps between them.
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

/** Replaces the current step by another. */
export function stayAt(step: string): void {
  trail = [...trail.slice(0, -1), step]
  const entry = { trail }
  whenMoved(() => history.replaceState(entry, ''))
  show(step)
}

export function isAt(step: string): boolean {
  return document.querySelector<HTMLElement>(`[data-step="${step}"]`)?.hidden === false
}

/** Whether there is no step to lose: at the first one, and on a page without steps. */
export function isAtFirst(): boolean {
  return trail.length <= 1
}

/** @returns a function that is true until another step is shown. */
export function stillOnStep(): () => boolean {
  const before = stepChanges
  return () => stepChanges === before
}

/**
 * Replaces all steps by another page: Back leads past them. Marks the entries that Forward could reach, so that the page leaves them again
 * (`wasLeft`). If the browser does not move in time, leaves from the current entry.
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

/** Whether Forward led back to an entry that was left. */
export function wasLeft(): boolean {
  return isObject(history.state) && Object.hasOwn(history.state, MARKED)
}

/** Moves the focus to the heading, for keyboards and screen readers. */
function show(step: string): void {
  for (const section of document.querySelectorAll<HTMLElement>('[data-step]'))
    section.hidden = section.dataset['step'] !== step
  stepChanges++
  dispatchEvent(new Event(STEP))
  scrollTo(0, 0)
  document.querySelector<HTMLElement>(`[data-step="${step}"] h1`)?.focus()
}

function goBack(by: number): void {
  if (by === 0) return
  isMoving = true
  moved = moved.then(() => traversed(by))
}

/** Runs at once if possible: browsers skip history entries that were not added during a user's action. */
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
