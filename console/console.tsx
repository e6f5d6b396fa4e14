// Entry of the console: signing in with a key, which is kept in the memory of this tab and nowhere else.

import { render } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { OrgKind, Scope } from '../src/domain/organisations/access.js'
import { type Api, createApi } from './ask-api.js'
import { type Panel, panelsFor } from './panels.js'
import { SignIn } from './sign-in.js'

/** Signs out after this time without input, so that an abandoned tab holds no key. */
const IDLE_MS = 900_000

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
  const [hasEnded, setHasEnded] = useState(false)
  useEffect(() => {
    if (session === undefined) return
    const end = () => {
      setHasEnded(true)
      setSession(undefined)
    }
    let timer = setTimeout(end, IDLE_MS)
    const stop = new AbortController()
    const again = () => {
      clearTimeout(timer)
      timer = setTimeout(end, IDLE_MS)
    }
    for (const kind of ['keydown', 'pointerdown']) addEventListener(kind, again, { signal: stop.signal })
    addEventListener('pagehide', end, { signal: stop.signal })
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [session])
  if (session === undefined) return <SignIn signIn={signIn} hasEnded={hasEnded} opened={setSession} />
  return <Panels {...session} signOut={() => setSession(undefined)} />
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
const NOTHING_TO_SEE = 'This key is valid, and has none of the scopes that the console needs.'

function Panels({ api, holder, panels, signOut }: Session & { signOut: () => void }) {
  const [current, setCurrent] = useState(panels[0])
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus(), [current])
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
                  onClick={() => setCurrent(panel)}
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
        {View !== undefined && <View api={api} />}
      </main>
    </>
  )
}

const place = document.getElementById('console')
if (place !== null) render(<Console />, place)
