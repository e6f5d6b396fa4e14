// Files that are dropped on the page or pasted into it.

import { one } from '../dom.js'

export function watchDropsAndPastes(take: (files: readonly File[]) => void): void {
  const drop = one('drop', HTMLElement)
  const isOpen = () => drop.isConnected && drop.closest<HTMLElement>('[data-step]')?.hidden === false
  addEventListener('dragover', (event) => {
    event.preventDefault() // or the browser would open the picture in place of the page
    drop.classList.toggle('over', isOpen())
  })
  addEventListener('dragleave', () => drop.classList.remove('over'))
  addEventListener('drop', (event) => {
    event.preventDefault()
    drop.classList.remove('over')
    if (isOpen()) take([...(event.dataTransfer?.files ?? [])])
  })
  addEventListener('paste', (event) => {
    if (isOpen()) take([...(event.clipboardData?.files ?? [])])
  })
}
