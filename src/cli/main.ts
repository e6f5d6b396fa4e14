// Entry of the command line: chooses the command.

import { ownValue } from '../../packages/core/src/own-value.js'
import { WrongSettings } from '../boot/config.js'
import { leaveMemoryOutOfDumps } from '../boot/process.js'
import { VERSION } from '../boot/version.js'
import { endQuietlyWhenNobodyReads } from './closed-pipe.js'
import { COMMANDS } from './commands.js'
import { asksForHelp, HELP, helpFor } from './help.js'

leaveMemoryOutOfDumps()
endQuietlyWhenNobodyReads()
const [name, ...rest] = process.argv.slice(2)
const command = ownValue(COMMANDS, name ?? '')
if (name === undefined || name === 'help' || asksForHelp(name))
  process.stdout.write(rest[0] === undefined ? HELP : helpFor(rest))
else if (name === '--version' || name === '-v' || name === 'version') process.stdout.write(`tabir ${VERSION}\n`)
else if (command === undefined) {
  process.stderr.write(`There is no such command.\n\n${HELP}`)
  process.exitCode = 2
} else if (rest.some(asksForHelp)) process.stdout.write(helpFor([name, ...rest]))
else
  process.exitCode = await command(rest).catch((error: unknown) => {
    if (!(error instanceof WrongSettings)) throw error
    process.stderr.write(`${error.message}\n`)
    return 2
  })
