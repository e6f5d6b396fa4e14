// Entry of the console: signing in with a key, which is kept in the memory of this tab and nowhere else.

import { render } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { OrgKind, Scope } from '../src/domain/organisations/access.js'
import { type Api, createApi } from './ask-api.js'
import { type Panel, panelsFor } from './panels.js'
import { Refusal, Refused } from './refusal.js'
import { SignIn } from './sign-in.js'

/** Signs out after this time without input, so that an abandoned tab holds no key. */
const IDLE_MS = 900_000
const LOOK_MS = 10_000

/** Whose key it is, as the service says. */
interface Holder {
  readonly org: string
  readonly kind: OrgKind
  readonly scopes: readonly Scope[]
}
interface Session {
  readonly api: Api
  readonly holder: Holder
  readonly panels: readonly Panel[]
}

function Console() {
  const [session, setSession] = useState<Session>()
  /** Why the last sign-in has ended. */
  const [ended, setEnded] = useState<string>()
  // Before the panels are painted: a page that is left at once must not keep them.
  useLayoutEffect(() => {
    if (session === undefined) return
    const end = (why: string) => {
      setEnded(why)
      setSession(undefined)
    }
    const stop = new AbortController()
    const { signal } = stop
    // Asks the clock: a timer stands still while the device sleeps.
    let usedAtMs = Date.now()
    const isIdle = () => Date.now() - usedAtMs >= IDLE_MS
    const endIdle = () => isIdle() && end(SIGNED_OUT)
    const timer = setInterval(endIdle, LOOK_MS)
    const use = () => {
      endIdle()
      usedAtMs = Date.now()
    }
    for (const kind of ['keydown', 'pointerdown']) addEventListener(kind, use, { signal })
    addEventListener('visibilitychange', endIdle, { signal })
    addEventListener('pagehide', () => end(SIGNED_OUT), { signal })
    const { refused } = session.api
    if (refused.aborted) end(KEY_REFUSED)
    else refused.addEventListener('abort', () => end(KEY_REFUSED), { signal })
    return () => {
      clearInterval(timer)
      stop.abort()
    }
  }, [session])
  if (session === undefined) return <SignIn signIn={signIn} ended={ended} opened={setSession} />
  const signOut = () => {
    setEnded(undefined)
    setSession(undefined)
  }
  return <Panels {...session} signOut={signOut} />
}

/** @returns the reason, when the key gives access to nothing. */
async function signIn(key: string): Promise<Session | string> {
  const api = createApi(key)
  const outcome = await api.get<Holder>('/v1/keys/own')
  if ('problem' in outcome) return outcome.status === 401 ? WRONG_KEY : outcome.problem
  const panels = panelsFor(outcome.value)
  return panels.length === 0 ? NOTHING_TO_SEE : { api, holder: outcome.value, panels }
}

const WRONG_KEY =
  'This key is not valid here. Check that it is complete, from tbr_ to its last character. It may also have expired or been revoked.'
const SIGNED_OUT = 'You were signed out.'
const KEY_REFUSED =
  'You were signed out: the service does not accept the key any more. It was revoked or suspended, has expired, or may not be used from this address.'
const NOTHING_TO_SEE = 'This key is valid, and has none of the scopes that the console needs.'

function Panels({ api, holder, panels, signOut }: Session & { signOut: () => void }) {
  const [current, show] = usePanel(panels)
  const [refusal, setRefusal] = useState<string>()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    setRefusal(undefined)
    heading.current?.focus()
  }, [current])
  const View = current?.View
  return (
    <>
      <header>
        <p class="product">Console</p>
        <nav aria-label="Panels">
          <ul>
            {panels.map((panel) => (
              <li key={panel.title}>
                <button
                  type="button"
                  class="tab"
                  aria-current={panel === current ? 'page' : undefined}
                  onClick={() => show(panel)}
                >
                  {panel.title}
                </button>
              </li>
            ))}
          </ul>
        </nav>
        <p class="holder">
          Signed in: <strong>{holder.org}</strong> ({holder.kind})
        </p>
        <button type="button" class="small quiet" onClick={signOut}>
          Sign out
        </button>
      </header>
      <main>
        <h1 tabIndex={-1} ref={heading}>
          {current?.title}
        </h1>
        <Refused text={refusal} />
        <Refusal.Provider value={setRefusal}>{View !== undefined && <View api={api} />}</Refusal.Provider>
      </main>
    </>
  )
}

/** The panel that is shown. Each is an entry in the history of the tab, so that Back shows the one before and does not leave the console. */
function usePanel(panels: readonly Panel[]): [Panel | undefined, (panel: Panel) => void] {
  const [current, setCurrent] = useState(panels[0])
  useEffect(() => {
    const stop = new AbortController()
    history.replaceState(panels[0]?.title, '')
    addEventListener('popstate', ({ state }) => setCurrent(panels.find(({ title }) => title === state) ?? panels[0]), {
      signal: stop.signal,
    })
    return () => stop.abort()
  }, [panels])
  const show = (panel: Panel) => {
    if (panel !== current) history.pushState(panel.title, '')
    setCurrent(panel)
  }
  return [current, show]
}

const place = document.getElementById('console')
if (place !== null) render(<Console />, place)
