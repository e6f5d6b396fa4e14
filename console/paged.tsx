// A table that the service returns page by page. It reloads after an action in it.

import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { Api } from './ask-api.js'
import { Shown } from './components.js'
import { useLoaded } from './load.js'
import { Table, type TableProps } from './sorted-table.js'

export interface PagedProps<Answer, Row> extends Omit<TableProps<Row>, 'rows' | 'actions'> {
  readonly api: Api
  /** Loads the first page, or the page after a cursor. */
  readonly path: (behind: string | undefined) => string
  readonly rowsOf: (answer: Answer) => readonly Row[]
  /** The cursor for the next page, if there is one; left out for lists of a single page. */
  readonly nextOf?: (answer: Answer) => string | undefined
  /** Labels of the buttons that lead to the next page and back to the first. */
  readonly ways?: readonly [onward: string, back: string]
  readonly actions?: (row: Row, reload: () => Promise<void>) => ComponentChildren
}

export function Paged<Answer, Row>(props: PagedProps<Answer, Row>) {
  const { api, path, rowsOf, nextOf, ways = ['Next', 'First'], actions, ...table } = props
  const [behind, setBehind] = useState<string>()
  const loaded = useLoaded<Answer>(api, path(behind))
  return (
    <Shown loaded={loaded}>
      {(answer) => {
        const next = nextOf?.(answer)
        return (
          <>
            <Table
              {...table}
              rows={rowsOf(answer)}
              {...(actions !== undefined && { actions: (row: Row) => actions(row, loaded.reload) })}
            />
            <p class="buttons">
              {next !== undefined && (
                <button type="button" class="small quiet" onClick={() => setBehind(next)}>
                  {ways[0]}
                </button>
              )}{' '}
              {behind !== undefined && (
                <button type="button" class="small quiet" onClick={() => setBehind(undefined)}>
                  {ways[1]}
                </button>
              )}{' '}
              <button type="button" class="small quiet" onClick={() => void loaded.reload()}>
                Reload
              </button>
            </p>
          </>
        )
      }}
    </Shown>
  )
}
