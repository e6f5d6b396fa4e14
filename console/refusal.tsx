// Why something was not done, above the panel: the row with its button may be gone, for instance when it was decided in another tab.

import { createContext } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

/** Shows why something was not done, until something else is tried. */
export const Refusal = createContext<(text: string | undefined) => void>(() => {})

export function Refused({ text }: { text: string | undefined }) {
  const place = useRef<HTMLParagraphElement>(null)
  useEffect(() => place.current?.focus(), [text]) // the focus was on the button
  if (text === undefined) return null
  return (
    <p class="error" role="alert" tabIndex={-1} ref={place}>
      {text}
    </p>
  )
}
