// Finds objects that are read or written by a name from outside: `table[name]` finds `constructor` on every plain object. A Map does not.
// `npm run lint` runs it. It reports each lookup in product code by a key of type `string` in an object with a string index.

import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const FOLDERS = ['src', 'packages', 'workers', 'page', 'console'].map((name) => join(root, name, '/'))

const HELPER = join(root, 'packages/core/src/own-value.ts')

const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
const ours = fileNames.filter((name) => FOLDERS.some((folder) => name.startsWith(folder)))
const program = ts.createProgram(ours, { ...options, noEmit: true })
const checker = program.getTypeChecker()

const found = []
for (const file of program.getSourceFiles()) {
  if (ours.includes(file.fileName) && file.fileName !== HELPER) visit(file, file)
}
for (const line of found) process.stderr.write(`${line}\n`)
if (found.length > 0) {
  process.stderr.write('Use a Map, or ownValue() of packages/core/src/own-value.ts.\n')
  process.exitCode = 1
}

function visit(node, file) {
  if (ts.isElementAccessExpression(node) && isOpen(node)) {
    const { line } = file.getLineAndCharacterOfPosition(node.getStart())
    found.push(`${relative(root, file.fileName)}:${line + 1}: ${node.getText()}`)
  }
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.InKeyword && ts.isIdentifier(node.left)) {
    const { line } = file.getLineAndCharacterOfPosition(node.getStart())
    found.push(`${relative(root, file.fileName)}:${line + 1}: ${node.getText()}`)
  }
  ts.forEachChild(node, (child) => visit(child, file))
}

/** An object with a string index, by a key that may be any text. Arrays and typed arrays have no string index. */
function isOpen({ expression, argumentExpression }) {
  const key = checker.getTypeAtLocation(argumentExpression)
  if ((key.flags & ts.TypeFlags.String) === 0) return false
  const type = checker.getNonNullableType(checker.getTypeAtLocation(expression))
  return type.getStringIndexType() !== undefined || (type.flags & ts.TypeFlags.Any) !== 0
}
