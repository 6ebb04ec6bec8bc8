// Writes docs/openapi.json from the table of the administration API: `npm run openapi`.
import { writeFileSync } from 'node:fs'
import { writeDocument } from './parts/api_document.ts'

writeFileSync(new URL('../docs/openapi.json', import.meta.url), writeDocument())
