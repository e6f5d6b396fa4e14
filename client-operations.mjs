// Writes the types of the client from openapi.yaml: when the description changes and the client does not fit it any more, it does not
// compile. Types for TypeScript, and a table of methods and paths for the client to run by.
// Not openapi-typescript 7.13: it gave the client 579 kB of types instead of 46, does not write the table, and npm installs it with TypeScript 5 only.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parse } from 'yaml'

const METHODS = ['get', 'put', 'post', 'patch', 'delete']

/** Rewrites `target` if it would differ. */
export function writeOperations(description, target) {
  const text = operationsOf(parse(readFileSync(description, 'utf8')))
  if (!existsSync(target) || readFileSync(target, 'utf8') !== text) writeFileSync(target, text)
}

function operationsOf({ paths, components }) {
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => (item[method] === undefined ? [] : [{ path, method, ...item[method] }])),
  )
  const schemas = Object.entries(components.schemas).map(([name, schema]) => `  ${name}: ${typeOf(schema)}`)
  return `// Written by client-operations.mjs from openapi.yaml.

/** What a file may be given as. */
export type FileBody = string | Blob | ArrayBuffer | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>

export interface Schemas {
${schemas.join('\n')}
}

export interface Operations {
${operations.map(operationType).join('\n')}
}

export const OPERATIONS = {
${operations.map(operationRow).join('\n')}
} as const
`
}

function operationType(operation) {
  const { operationId, parameters = [], requestBody } = operation
  const [status, answer] = Object.entries(operation.responses).find(([code]) => code < '300') ?? []
  const params = parameters.filter((each) => each.in === 'path')
  const query = parameters.filter((each) => each.in === 'query')
  const media = Object.keys(requestBody?.content ?? {})
  const content = requestBody?.content?.['application/json']
  const body =
    content !== undefined ? typeOf(content.schema) : media.includes('multipart/form-data') ? 'FormData' : 'FileBody'
  const types = Object.entries(answer?.content ?? {})
  const [json] = types.filter(([type]) => isJson(type))
  const given =
    status === '204' || types.length === 0 ? 'undefined' : json === undefined ? 'Response' : typeOf(json[1].schema)
  const members = [
    params.length > 0 && `params: ${membersOf(params)}`,
    query.length > 0 && `query${query.some((each) => each.required) ? '' : '?'}: ${membersOf(query)}`,
    requestBody !== undefined && `body: ${body}`,
  ].filter(Boolean)
  return `  ${operationId}: { args: { ${members.join('; ')} }; answer: ${given} }`
}

function operationRow({ operationId, method, path, parameters = [], requestBody, responses }) {
  const keyed = parameters.some(({ name }) => name === 'idempotency-key')
  const media = Object.keys(requestBody?.content ?? {})
  const body = media.includes('application/json')
    ? 'json'
    : media.includes('multipart/form-data')
      ? 'form'
      : media.length > 0
        ? 'file'
        : 'none'
  const [, answer] = Object.entries(responses).find(([code]) => code < '300') ?? []
  const types = Object.keys(answer?.content ?? {})
  const answers = types.length === 0 ? 'nothing' : types.some(isJson) ? 'json' : 'file'
  return `  ${operationId}: { method: '${method.toUpperCase()}', path: '${path}', keyed: ${keyed}, body: '${body}', answer: '${answers}' },`
}

function membersOf(parameters) {
  return `{ ${parameters.map(({ name, required, schema }) => `${JSON.stringify(name)}${required ? '' : '?'}: ${typeOf(schema)}`).join('; ')} }`
}

/** Of a JSON schema, as far as the description uses them. What it does not know is a fault of the build, and not `any`. */
function typeOf(schema) {
  if (schema.$ref !== undefined) return `Schemas['${schema.$ref.split('/').at(-1)}']`
  const alternatives = schema.anyOf ?? schema.oneOf
  if (alternatives !== undefined) return `(${alternatives.map(typeOf).join(' | ')})`
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return `(${schema.enum.map((value) => JSON.stringify(value)).join(' | ')})`
  if (Array.isArray(schema.type)) return `(${schema.type.map((type) => typeOf({ ...schema, type })).join(' | ')})`
  switch (schema.type) {
    case 'string':
      return 'string'
    case 'integer':
    case 'number':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'null':
      return 'null'
    case 'array':
      return `readonly (${typeOf(schema.items ?? {})})[]`
    case 'object':
      return objectType(schema)
    case undefined:
      return 'unknown'
    default:
      throw new Error(`a type that the client does not know: ${schema.type}`)
  }
}

function objectType({ properties, required = [], propertyNames, additionalProperties }) {
  if (properties !== undefined) {
    const members = Object.entries(properties).map(
      ([name, schema]) => `readonly ${JSON.stringify(name)}${required.includes(name) ? '' : '?'}: ${typeOf(schema)}`,
    )
    return `{ ${members.join('; ')} }`
  }
  const value = typeof additionalProperties === 'object' ? typeOf(additionalProperties) : 'unknown'
  const isPartial = propertyNames?.enum !== undefined || propertyNames?.$ref !== undefined
  return `Readonly<${isPartial ? 'Partial<' : ''}Record<${isPartial ? typeOf(propertyNames) : 'string'}, ${value}>${isPartial ? '>' : ''}>`
}

/** Lines of JSON are no JSON. */
function isJson(type) {
  return type.endsWith('json') && !type.endsWith('ndjson')
}
