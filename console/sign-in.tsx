// Asks for a key. It goes to this service and into the memory of this tab.

import { useEffect, useRef, useState } from 'preact/hooks'

export interface SignInProps<Session> {
  /** @returns the reason, when the key gives access to nothing. */
  readonly signIn: (key: string) => Promise<Session | string>
  readonly opened: (session: Session) => void
  /** Why the last sign-in has ended. */
  readonly ended: string | undefined
}

export function SignIn<Session extends object>({ signIn, opened, ended }: SignInProps<Session>) {
  const input = useRef<HTMLInputElement>(null)
  const [isAsking, setIsAsking] = useState(false)
  const [problem, setProblem] = useState<string>()
  // Signing out removes the focused button. Without this, the keyboard would start again at the top of the window.
  useEffect(() => input.current?.focus(), [])
  const submit = async (event: Event) => {
    event.preventDefault()
    const key = input.current?.value.trim() ?? ''
    if (key === '') return
    setIsAsking(true)
    const outcome = await signIn(key)
    setIsAsking(false)
    if (typeof outcome !== 'string') return opened(outcome)
    setProblem(outcome)
    input.current?.focus()
  }
  return (
    <main class="narrow">
      <h1>Console</h1>
      <p>
        For organisations and the operator. Your key is kept in the memory of this tab until you sign out, leave, or do
        nothing for 15 minutes.
      </p>
      {ended !== undefined && (
        <p class="card" role="status">
          {ended}
        </p>
      )}
      <form class="card" onSubmit={(event) => void submit(event)}>
        <label for="key">API key</label>
        {/* Not a password field: browsers offer to save passwords despite autocomplete=off. The style hides the text. */}
        <input
          id="key"
          ref={input}
          class="hidden-text"
          type="text"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          aria-describedby="key-error"
        />
        <p id="key-error" class="error" role="alert">
          {problem}
        </p>
        <button type="submit" class="main" disabled={isAsking}>
          Sign in
        </button>
      </form>
    </main>
  )
}
