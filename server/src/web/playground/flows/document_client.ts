import type { Flow } from '../flow.ts'
import { ANSWER, REQUEST, secrets } from './authorization_code.ts'
import { public_client, publicTokens } from './public_client.ts'

const SPEC = 'Client ID Metadata Document'

/** A client that nobody registered: its identifier is the address of a document that describes it. */
export const document_client: Flow = {
  flow: 'document_client',
  spec: SPEC,
  inputs: ['document'],
  needs: 'metadata_documents',
  client: public_client.client,
  steps: [
    { step: 'publish', says: 'publish', kind: 'show', from: 'app', to: 'app', value: 'document' },
    secrets,
    {
      ...{ step: 'authorize', says: 'authorize_document', kind: 'browser', from: 'person', to: 'server' },
      ...{ url: '{authorization_endpoint}', ...ANSWER },
      query: REQUEST.map((one) =>
        one.name === 'client_id' ? { ...one, spec: `${SPEC} § 3`, note: 'document_url' } : one,
      ),
    },
    ...publicTokens,
  ],
}
