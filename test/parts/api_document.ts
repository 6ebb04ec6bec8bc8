import { describeApi } from '../../server/src/web/api/openapi.ts'
import { API_ROUTES } from '../../server/src/web/api/table.ts'

type Declared = Record<string, Record<string, { responses: Record<string, { headers?: object }> }>>
const { paths } = describeApi(API_ROUTES, 'https://sallyport.example') as { paths: Declared }

/** Whether the document declares that a route answers with an ETag. */
export function declaresEtag({ method, path }: { readonly method: string; readonly path: string }): boolean {
  const [answer] = Object.values(paths[path]![method.toLowerCase()]!.responses)
  return Object.hasOwn(answer!.headers ?? {}, 'ETag')
}

/** The route of the table that a request is for. */
export function findRoute(method: string, asked: string) {
  const segments = asked.split('?')[0]!.split('/')
  return API_ROUTES.find(({ method: its, path }) => {
    const names = path.split('/')
    if (its !== method || names.length !== segments.length) return false
    return names.every((name, i) => name.startsWith('{') || name === segments[i])
  })
}

/** The document as it is committed: for an issuer that is nobody's. */
export function writeDocument(): string {
  return `${JSON.stringify(describeApi(API_ROUTES, 'https://sallyport.example'), null, 2)}\n`
}
